"""Stands for xfs_io in the tests: ``xfs_io.py BAD -r -d -c "pread -v OFFSET LENGTH" … FILE``, and likewise without
``-r`` to write zeroes: ``-c "pwrite -q -b 1m -S 0 OFFSET LENGTH" … -c fsync``.

Prints what xfs_io 6.1 prints, of a file that not every filesystem lets be read directly. Whatever reaches the byte that
the file BAD names, when there is one, cannot be read.
"""

import sys
from pathlib import Path


def main() -> int:
    """Runs one call."""
    bad, *options, path = sys.argv[1:]
    if options[0] == "-d":
        return write(options[1:], path)
    if options[:2] != ["-r", "-d"] or set(options[2::2]) != {"-c"}:
        return 64
    limit = int(Path(bad).read_text()) if Path(bad).exists() else None
    with Path(path).open("rb") as file:
        for command in options[3::2]:
            _, _, offset, length = command.split()
            start, count = int(offset), int(length)
            if limit is not None and start + count > limit:
                sys.stdout.flush()
                sys.stderr.write("pread: Input/output error\n")
                continue
            file.seek(start)
            content = file.read(count)
            for at in range(0, len(content), 16):
                row = content[at : at + 16]
                text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
                print(f"{start + at:08x}:  {row.hex(' ')}  {text}")
            print(f"read {len(content)}/{count} bytes at offset {start}")
            print("4 KiB, 1 ops; 0.0000 sec (27.901 MiB/sec and 7142.8571 ops/sec)")
    return 0


def write(options: list[str], path: str) -> int:
    """Writes zeroes."""
    if set(options[::2]) != {"-c"} or options[-1] != "fsync":
        return 64
    with Path(path).open("r+b") as file:
        for command in options[1:-1:2]:
            *verb, offset, length = command.split()
            if verb != ["pwrite", "-q", "-b", "1m", "-S", "0"]:
                return 64
            file.seek(int(offset))
            file.write(bytes(int(length)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
