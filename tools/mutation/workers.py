"""Threads that each own a copy of the tree."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor, as_completed
from queue import SimpleQueue


class Workers:
    """Calls functions of an item and a copy, on as many threads as there are copies."""

    def __init__(self, root, folder, n_workers):
        self.copies = [folder / f"copy-{i}" for i in range(n_workers)]
        for copy in self.copies:
            copy_of_tree(root, copy)

    def map(self, function, items):
        """Results as they come."""
        free = SimpleQueue()
        for copy in self.copies:
            free.put(copy)

        def call(item):
            copy = free.get()
            try:
                return function(item, copy)
            finally:
                free.put(copy)

        with ThreadPoolExecutor(len(self.copies)) as threads:
            for future in as_completed([threads.submit(call, item) for item in items]):
                yield future.result()


def copy_of_tree(root, copy):
    """Copy what git knows or would add; the checkout itself is never changed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.rmtree(copy, ignore_errors=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
