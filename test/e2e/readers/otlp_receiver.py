"""A receiver of OTLP over HTTP: decodes by OpenTelemetry's messages, prints gauges and spans, a JSON line a request."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def attributes(pairs):
    return {pair.key: pair.value.string_value for pair in pairs}


def metrics(body):
    request = ExportMetricsServiceRequest.FromString(body)
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.gauge.data_points:
                    value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
                    yield {"gauge": metric.name, "value": value, **attributes(point.attributes)}


def spans(body):
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {"span": span.name, "resource": attributes(resource.resource.attributes)}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        read = {"/v1/metrics": metrics, "/v1/traces": spans}.get(self.path)
        facts = list(read(body)) if read else []
        print(json.dumps({"path": self.path, "type": self.headers["content-type"], "facts": facts}), flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
