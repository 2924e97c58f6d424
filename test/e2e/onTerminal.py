"""Runs a command on a pseudo-terminal: standard input is typed, what it writes goes to standard output. Ends as it does."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

columns, rows, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
    os.execvp(command[0], command)
sources = [terminal, 0]
while True:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # the last process has let go of the terminal
            data = b""
        if source == 0 and data == b"":
            sources.remove(0)
        elif source == 0:
            os.write(terminal, data)
        elif data == b"":
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        else:
            os.write(1, data)
