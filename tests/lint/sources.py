"""What the lints share: the project's files, and reports."""
import re
import subprocess
import sys
from pathlib import Path

C_SUFFIXES = (".c", ".h", ".cpp")


def files(root):
    """Paths of the project's files relative to root: git's, with new ones that are not ignored; of
    an unpacked archive, all outside build/."""
    listed = subprocess.run(
        ["git", "-C", root, "-c", f"safe.directory={Path(root).resolve()}", "ls-files", "-z"]
        + ["--cached", "--others", "--exclude-standard", "--deduplicate"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path.relative_to(root) for path in Path(root).rglob("*")]
    outside = ("build", ".git", "__pycache__")
    return sorted(p for p in paths if (Path(root) / p).is_file() and p.parts[0] not in outside)


def text(root, path):
    """The file's text, or None when it is not text (a corpus, a picture)."""
    data = (Path(root) / path).read_bytes()
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def is_corpus(path):
    return "corpus" in path.parts or "golden" in path.parts


def language(path, content):
    """'c', 'def', 'python', 'shell' or None."""
    if path.suffix in C_SUFFIXES:
        return "c"
    if path.suffix == ".def":
        return "def"
    first = content.split("\n", 1)[0]
    if path.suffix == ".py" or (first.startswith("#!") and "python" in first):
        return "python"
    if path.suffix == ".sh" or re.match(r"#!.*\b(ba)?sh\b", first):
        return "shell"
    return None


def code(root, *languages):
    """(path, language, text) of each source file in one of the languages."""
    for path in files(root):
        content = None if is_corpus(path) else text(root, path)
        found = language(path, content) if content is not None else None
        if found in languages:
            yield path, found, content


C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def without_text(content):
    """C code with comments and literals blanked; line numbers stay. // comments stay visible."""

    def blank(match):
        token = match.group()
        return token if token.startswith("//") else re.sub(r"[^\n]", " ", token)

    return C_TOKEN.sub(blank, content)


def finish(problems):
    """Prints problems and ends the lint: exit code 1 when there are any."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
