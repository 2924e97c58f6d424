"""CUDA IPC: an engine on the same GPU maps the staged buffer and copies from it. Nothing goes through the host.

The engine's protocol wants the handles pickled. They are only written here, never read, and only for an engine on
loopback that was asked for by name.
"""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.multiprocessing.reductions import reduce_tensor

from gradus_trainer.publish.control import Control
from gradus_trainer.publish.failure import PublishFailed
from gradus_trainer.publish.staged import Staged
from gradus_trainer.publish.update_calls import ROUTES, within_update

NEEDED = ROUTES


async def send(control: Control, staged: Staged) -> None:
    """One update of all tensors by their handles."""
    info = staged.description() | {"ipc_handles_pickled": pickled_handles(staged.tensors.values())}
    await control.call("connect", "POST", "/init_weight_transfer_engine", {"init_info": {}})
    async with within_update(control):
        await control.call("update", "POST", "/update_weights", {"update_info": info})


def pickled_handles(tensors: Iterable[Tensor]) -> str:
    """Base64 of a pickled list: for each tensor, its handle by the GPU's UUID."""
    handles = []
    for tensor in tensors:
        if not tensor.is_cuda:
            raise PublishFailed("update", "CUDA IPC needs the policy on a CUDA device")
        gpu = str(torch.cuda.get_device_properties(tensor.device).uuid)
        handles.append({gpu: reduce_tensor(tensor)[1]})
    return base64.b64encode(pickle.dumps(handles)).decode()
