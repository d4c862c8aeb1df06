#!/usr/bin/env python3
"""The ways to root that a taken-over user vipd has: each is tried, and none may succeed.

usage: ways_to_root.py DIRECTORY-OF-PROGRAMS    (as root)

The test makes a user vipd in a mount namespace and a network namespace of its own, and lays out the directories as the
package does. It runs the real programs as root and acts as user vipd, with that user's uid, sockets and directories.
A way succeeds if root runs a program of the attacker, or if a file or directory of root changes. Each such program
writes its name into a directory that only root may write. docs/security.md lists the ways by the names that they have
here. Two controls show that the test can fail: root's own hook runs, and a program that root runs leaves its name. At
the beginning a member of group vipd and user nobody also try to change something.
"""
import contextlib, glob, hashlib, json, os, pathlib, shutil, signal, socket, stat, subprocess, sys, tempfile, threading, time

UID = GID = 61112
BOUND = 10
WAYS = []


def way(function):
    WAYS.append((function.__name__.replace("_", "-"), function))
    return function


class Site:
    """The files as the package lays them out."""

    def __init__(self, programs):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="vipd-ways-", dir="/var/lib"))
        self.top.chmod(0o755)
        self.bin, self.etc, self.run, self.state = (self.top / n for n in ("bin", "etc", "run", "state"))
        self.runner_run, self.proof, self.victim = (self.top / n for n in ("run-runner", "proof", "victim"))
        for d in (self.bin, self.etc, self.run, self.state, self.runner_run, self.proof, self.victim):
            d.mkdir(mode=0o755)
        for d in ("conf.d", "hooks.d", "hooks"):
            (self.etc / d).mkdir(mode=0o755)
        for d in (self.run, self.state):
            os.chown(d, UID, GID)
        for name in ("vipd", "vipd-runner", "vipd-check", "vipctl"):
            shutil.copy(os.path.join(programs, name), self.bin / name)
        self.hook = self.etc / "hooks" / "own"
        write(self.hook, f"#!/bin/sh\nid -u > {self.proof}/own\n", 0o755)
        write(self.victim / "file", "precious\n", 0o600)
        (self.victim / "1.json").write_text("precious\n")
        self.config = self.etc / "vipd.toml"
        self.reset()

    def text(self, hook):
        return (f'[instance.web]\ninterface = "veth0"\nvrid = 51\naddresses = ["192.0.2.10/24"]\n'
                f'hooks.any = {json.dumps(hook)}\n')

    def reset(self):
        """Restores everything, so that one way does not affect the next."""
        for d in (self.run, self.state):
            for entry in os.scandir(d):
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        for path in glob.glob(f"{self.etc}/*.d/*"):
            os.unlink(path)
        for path in (self.etc, self.etc / "conf.d", self.etc / "hooks.d", self.hook.parent):
            os.chown(path, 0, 0)
            os.chmod(path, 0o755)
        self.config.unlink(missing_ok=True)
        write(self.config, self.text(str(self.hook)), 0o640)
        os.chown(self.config, 0, GID)
        os.chown(self.hook, 0, 0)
        (self.proof / "own").unlink(missing_ok=True)

    def payload(self, name, directory=None):
        """Makes a program of the attacker, which writes its name where only root may write."""
        path = (directory or self.state) / f"payload-{name}"
        as_vipd(lambda: write(path, f"#!/bin/sh\nid -u > {self.proof}/{name}\n", 0o755))
        return str(path)

    def roots(self):
        """Owner, mode and content of all files that only root may change."""
        seen = {}
        for d in (self.bin, self.victim, self.proof, self.runner_run):
            for path in [d, *sorted(d.rglob("*"))]:
                if path.name == "runner.sock" or "kept" in path.parts:
                    continue
                s = path.lstat()
                seen[str(path)] = (s.st_uid, s.st_gid, s.st_mode, path.read_bytes() if stat.S_ISREG(s.st_mode) and d != self.bin else s.st_size * stat.S_ISREG(s.st_mode))
        return seen


def changed(before, after):
    """The files that are new or changed, except the proof of root's own hook, which may run."""
    return {path: what for path, what in after.items() - before.items() if not path.endswith("/proof/own")}


def write(path, text, mode=0o644):
    pathlib.Path(path).write_text(text)
    os.chmod(path, mode)


def as_vipd(act):
    """Runs act() in a process of user vipd. Returns the result of act(), or the name of its error."""
    return as_user(UID, GID, act)


def as_user(uid, gid, act):
    read, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        try:
            said = act()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write_end, json.dumps(said, default=str).encode()[:60000])
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said or b"null")


def run(site, *words, bound=BOUND):
    """Runs a command as root, and tells it to end after the bound."""
    process = subprocess.Popen([str(site.bin / words[0]), *map(str, words[1:])], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = process.communicate(timeout=bound)[0]
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            said = process.communicate(timeout=BOUND)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{words} does not end")
    return process.returncode, said


def by_hand(site, *more):
    """Starts vipd as root in the service's directories, and stops it."""
    return run(site, "vipd", "--config", site.config, "--runtime-dir", site.run, "--state-dir", site.state, *more,
               bound=1)


@contextlib.contextmanager
def daemon(site, *before):
    """Runs vipd during the block, as root, or by the words `before`."""
    words = [*(before or [str(site.bin / "vipd")]), "--config", str(site.config), "--runtime-dir", str(site.run), "--state-dir", str(site.state)]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + BOUND
        while vipctl(site, "status")[0] != 0 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait(BOUND)


def vipctl(site, *words): return run(site, "vipctl", "--runtime-dir", site.run, *words)


def is_of_vipd(path):
    return path.exists() and path.lstat().st_uid == UID


@contextlib.contextmanager
def runner(site):
    """Runs the service vipd-runner during the block, as root."""
    words = [str(site.bin / "vipd-runner"), "--config", str(site.config), "--runtime-dir", str(site.runner_run)]
    if "--state-dir" in subprocess.run([words[0], "--help"], capture_output=True, text=True).stdout:
        words += ["--state-dir", str(site.top / "kept")]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    path = site.runner_run / "runner.sock"
    try:
        deadline = time.monotonic() + BOUND
        while not is_of_vipd(path) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        yield path
    finally:
        process.terminate()
        process.wait(BOUND)
        path.unlink(missing_ok=True)


def request(arguments, environment=(), timeout=10**9, **more):
    return {"run": 1, "label": "x", "arguments": [str(a) for a in arguments], "environment": list(environment), "quiet": True,
            "timeout_ns": timeout, "served": [], **more}


def ask_runner(site, *requests, raw=None):
    """Sends requests of user vipd to the runner; returns the answers."""
    def talk(path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(2)
            s.connect(str(path))
            said = [s.recv(65536).decode()]  # the greeting
            for each in [json.dumps(r).encode() for r in requests] + ([raw] if raw else []):
                with contextlib.suppress(TimeoutError, ConnectionError):  # vipd-runner may hang up
                    s.send(each)
                    said.append(s.recv(65536).decode())
            return said
    with runner(site) as path:
        said = as_vipd(lambda: talk(path))
    assert isinstance(said, list) and "vipd-runner" in said[0], f"the runner was not reached: {said}"
    return said


# Requests of user vipd to vipd-runner.
@way
def runner_own_program(site, name): ask_runner(site, request([site.payload(name)]))
@way
def runner_shell(site, name): ask_runner(site, request(["/bin/sh", "-c", f"id > {site.proof}/{name}"]))
@way
def runner_hook_with_other_words(site, name): ask_runner(site, request([site.hook, "--", site.payload(name)]), request([site.hook, "INSTANCE", f"web;{site.payload(name)}", "MASTER", "254"]))
@way
def runner_other_spelling(site, name): ask_runner(site, request([f"{site.hook}/../../../state/payload-{name}"]), request([f"../../{site.payload(name)}"]))
@way
def runner_no_program(site, name): ask_runner(site, request([]), request([""]), request(["\0"]))
@way
def runner_environment_preload(site, name): ask_runner(site, request([site.hook, "INSTANCE", "web", "MASTER", "1"], [f"LD_PRELOAD={site.payload(name)}"]))
@way
def runner_environment_path(site, name): ask_runner(site, request([site.hook, "INSTANCE", "web", "MASTER", "1"], [f"PATH={site.state}", f"BASH_ENV={site.payload(name)}", f"ENV={site.payload(name)}"]))
@way
def runner_environment_zero_octet(site, name): ask_runner(site, request([site.hook, "INSTANCE", "web", "MASTER", "1"], [f"VIPD_X=1\0LD_PRELOAD={site.payload(name)}"]))
@way
def runner_check_that_is_a_path(site, name): ask_runner(site, request([f"probe:{site.payload(name)}"]), request([f"probe:../../{site.payload(name)}", "x"]))
@way
def runner_check_of_shadow(site, name):
    said = ask_runner(site, request(["probe:file", str(site.victim / "file"), "content"]))
    assert "precious" not in str(said), said
@way
def runner_count_of_others(site, name): ask_runner(site, request(["count-processes", f"$({site.payload(name)})", "1"]), request(["count-processes"]))
@way
def runner_timeout(site, name): ask_runner(site, request([site.payload(name)], timeout=-1), request([site.payload(name)], timeout=2**63 - 1))
@way
def runner_no_json(site, name): ask_runner(site, raw=b"\xff" * 4000)
@way
def runner_names_a_configuration(site, name): ask_runner(site, {"serve": ["0" * 64, f"../../{site.payload(name)}"], "config": site.text(site.payload(name))}, request([site.payload(name)]))


# Files of user vipd that root reads.
@way
def file_writes_configuration(site, name):
    for path in (site.config, site.etc / "conf.d/x.toml", site.etc / "hooks.d/x", site.hook, site.bin / "vipd", site.runner_run / "x"):
        assert "Error" in str(as_vipd(lambda: write(path, "x"))), path
def misowned(site, name, spoil, hook=None):
    """The configuration names a hook of the attacker or of root, and spoil() changes the file or directory."""
    payload = hook or ["/bin/sh", "-c", f"id -u > {site.proof}/{name}"]
    write(site.config, site.text(payload), 0o640)
    spoil()
    ask_runner(site, request(payload), request([*payload, "INSTANCE", "web", "MASTER", "254"]))
    code, said = run(site, "vipd", "--check", "--strict", "--config", site.config)
    assert code == 2, said
    assert "chown root" in said or "chmod go-w" in said, said
@way
def file_configuration_of_vipd(site, name): misowned(site, name, lambda: os.chown(site.config, UID, GID))
@way
def file_configuration_of_the_group(site, name): misowned(site, name, lambda: (os.chown(site.config, 0, GID), os.chmod(site.config, 0o660)))
@way
def file_directory_of_vipd(site, name): misowned(site, name, lambda: os.chown(site.etc, UID, GID))
@way
def file_directory_of_the_group(site, name): misowned(site, name, lambda: (os.chown(site.etc, 0, GID), os.chmod(site.etc, 0o775)))
@way
def file_conf_d_of_vipd(site, name): misowned(site, name, lambda: os.chown(site.etc / "conf.d", UID, GID))
@way
def file_fragment_of_vipd(site, name): misowned(site, name, lambda: (write(site.etc / "conf.d/x.toml", ""), os.chown(site.etc / "conf.d/x.toml", UID, GID)))
@way
def file_fragment_that_is_a_link(site, name): misowned(site, name, lambda: (as_vipd(lambda: write(site.state / "x.toml", "")), os.symlink(site.state / "x.toml", site.etc / "conf.d/x.toml")))
@way
def file_hooks_d_of_vipd(site, name): misowned(site, name, lambda: os.chown(site.etc / "hooks.d", UID, GID))
@way
def file_hook_of_vipd(site, name): misowned(site, name, lambda: os.chown(site.hook, UID, GID), [str(site.hook)])
@way
def file_hook_in_a_directory_of_vipd(site, name): misowned(site, name, lambda: None, [site.payload(name)])
@way
def file_hook_of_hooks_d_that_is_a_link(site, name): misowned(site, name, lambda: os.symlink(site.payload(name), site.etc / "hooks.d/x"), [str(site.etc / "hooks.d/x")])


# Root starts vipd by hand in the directories of user vipd.
def planted(site, *names, target="file", link=os.symlink):
    for n in names:
        as_vipd(lambda: link(site.victim / target if target else site.victim, n))
    by_hand(site)
    by_hand(site, "--last-will")
    as_vipd(lambda: [os.unlink(n) for n in names if n.is_symlink()])
@way
def hand_history_is_a_link(site, name): planted(site, site.state / "history", target=None)
@way
def hand_in_force_is_a_link(site, name): planted(site, site.run / "in-force", target=None)
@way
def hand_claims_is_a_link(site, name): planted(site, site.run / "claims", site.run / "claims.new")
@way
def hand_journal_is_a_link(site, name): planted(site, site.run / "hooks.journal", site.run / "hooks.journal.new")
@way
def hand_lock_is_a_link(site, name): planted(site, site.run / "vipd.lock")
@way
def hand_socket_is_a_link(site, name): planted(site, site.run / "control.sock")
@way
def hand_unconfirmed_is_a_link(site, name): planted(site, site.state / "unconfirmed.json", site.state / "unconfirmed.json.new")
@way
def hand_lock_is_a_hard_link(site, name):
    os.link(site.victim / "file", site.run / "vipd.lock")  # user vipd itself could not make this link
    by_hand(site)
    os.unlink(site.run / "vipd.lock")
@way
def hand_pipes_in_place_of_files(site, name):
    for n in (site.run / "claims", site.run / "hooks.journal", site.run / "vipd.lock", site.run / "in-force", site.state / "unconfirmed.json", site.state / "history"):
        as_vipd(lambda: os.mkfifo(n))
    by_hand(site)
@way
def hand_socket_is_swapped_in_a_race(site, name):
    """A process of user vipd replaces the socket with a link as soon as the socket exists."""
    def swap():
        link, path = str(site.run / "swap"), str(site.run / "control.sock")
        while True:
            os.symlink(site.victim / "file", link)
            while True:
                with contextlib.suppress(OSError):
                    if stat.S_ISSOCK(os.lstat(path).st_mode):
                        os.rename(link, path)
                        break
    child = os.fork()
    if child == 0:
        as_vipd(swap)
        os._exit(0)
    try:
        for _ in range(10):
            run(site, "vipd", "--config", site.config, "--runtime-dir", site.run, "--state-dir", site.state, bound=0.1)
    finally:
        for pid in subprocess.run(["pgrep", "-P", str(child)], capture_output=True, text=True).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        os.waitpid(child, 0)
    for n in ("swap", "control.sock"):
        (site.run / n).unlink(missing_ok=True)
def digest(path, text):
    """config_hash() of one file."""
    parts = (os.path.basename(path), str(len(text.encode())), text)
    return hashlib.sha256("".join(part + "\0" for part in parts).encode()).hexdigest()
def forged_files(site, name, hook=None):
    """A configuration of the attacker: a program, and a named pipe where only root may write."""
    text = f'[node]\nnotify_fifo = "{site.victim}/{name}"\n' + site.text(hook or site.payload(name))
    return [{"path": str(site.config), "text": text}], digest(site.config, text)
def forge_in_force(site, name):
    files, sha256 = forged_files(site, name)
    as_vipd(lambda: (os.makedirs(site.run / "in-force", exist_ok=True), write(site.run / "in-force/9.json", json.dumps({"schema": "vipd.kept-config/1", "time": "now", "sha256": sha256, "files": files}))))
@way
def hand_forged_trial(site, name):
    files, sha256 = forged_files(site, name, str(site.hook))  # a program of the attacker would be refused
    record = {"schema": "vipd.unconfirmed-config/1", "tried_sha256": digest(site.config, site.config.read_text()), "before_sha256": sha256, "before": files}
    mark = str(site.run).replace("/", "+")
    as_vipd(lambda: write(site.state / f"unconfirmed{mark}.json", json.dumps(record)))
    assert "is skipped" in by_hand(site)[1]
@way
def hand_forged_in_force(site, name):
    forge_in_force(site, name)
    by_hand(site)
    by_hand(site, "--last-will")
@way
def hand_forged_in_force_before_a_reexec(site, name):
    with daemon(site):
        forge_in_force(site, name)
        code, said = vipctl(site, "reexec")
        assert code == 0 and "goes on" in said, said
        time.sleep(0.5)  # for hooks
@way
def hand_forged_in_force_of_an_earlier_version(site, name):
    forge_in_force(site, name)
    os.environ["VIPD_CONTROL_LISTENER"] = "99"  # a previous version of vipd leaves this at a re-exec
    try:
        by_hand(site)
    finally:
        del os.environ["VIPD_CONTROL_LISTENER"]
@way
def hand_leaves_the_service_able_to_go_on(site, name):
    by_hand(site)
    for d in (site.run, site.state):
        for path in d.rglob("*"):
            assert path.is_socket() or (path.lstat().st_uid, path.lstat().st_gid) == (UID, GID), path


# User vipd answers on the control socket when root asks.
@contextlib.contextmanager
def false_daemon(site, **words):
    """Answers each request with the members of a version document and of a kept configuration."""
    def serve():
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(site.run / "control.sock"))
            s.listen(8)
            while True:
                client, _ = s.accept()
                verb = json.loads(client.makefile().readline() or "{}").get("verb", "")
                client.sendall((json.dumps({"schema": f"vipd.{verb if verb != 'reexec' else 'version'}/1", "version": "9", "host": "x", "pid": 1, "started": str(time.time()),
                                            "program": str(site.bin / "vipd"), "config": str(site.config), **words}) + "\n").encode())
                client.close()
    child = os.fork()
    if child == 0:
        as_vipd(serve)
        os._exit(0)
    deadline = time.monotonic() + BOUND
    while not (site.run / "control.sock").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        yield
    finally:
        for pid in subprocess.run(["pgrep", "-P", str(child)], capture_output=True, text=True).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        os.waitpid(child, 0)
        (site.run / "control.sock").unlink(missing_ok=True)
@way
def vipctl_reexec_program(site, name):
    with false_daemon(site, program=site.payload(name)): vipctl(site, "reexec")
@way
def vipctl_reexec_configuration(site, name):
    with false_daemon(site, config=str(site.state / "x.toml")): vipctl(site, "reexec")
def restored(site, path):
    """Root restores number 1 of a history that names `path`. One history is forged by user vipd in its own directory,
    which root was told to use. The other is in root's directory, as if user vipd had managed to put it there."""
    before, kept = site.config.read_text(), site.top / "kept"
    files = [{"path": str(site.config), "text": site.text(str(site.hook))}, {"path": str(path), "text": "x"}]
    record = json.dumps({"schema": "vipd.kept-config/1", "time": "now", "sha256": "", "files": files})
    as_vipd(lambda: (os.mkdir(site.state / "history", 0o700), write(site.state / "history/1.json", record)))
    (kept / "history").mkdir(parents=True, exist_ok=True)
    write(kept / "history/1.json", record, 0o600)
    for directory, why in ((site.state, "vipctl does not trust it"), (kept, "nothing was restored")):
        with false_daemon(site, configurations=[json.loads(record)]):
            code, said = vipctl(site, "config", "restore", "1", "--config", site.config, "--state-dir", directory)
        assert code == 1 and why in said, said
    assert site.config.read_text() == before
    shutil.rmtree(kept)
@way
def vipctl_restore_elsewhere(site, name): restored(site, site.victim / "file")
@way
def vipctl_restore_out_of_conf_d(site, name): restored(site, site.etc / "conf.d" / "../../victim/x.toml")
@way
def vipctl_restore_through_a_link(site, name):
    os.symlink(site.victim / "file", site.etc / "conf.d/x.toml")
    os.chown(site.etc / "conf.d", UID, GID)
    restored(site, site.etc / "conf.d/x.toml")
@way
def vipctl_status_commands_the_terminal(site, name):
    with false_daemon(site, instances=[{"name": "\x1b]0;x\x07", "reason": "\x1b[31m"}]):
        assert "\x1b]" not in vipctl(site, "status")[1]


def namespaces():
    """Enters new mount and network namespaces, and makes a user vipd there."""
    if os.environ.get("VIPD_WAYS") != "inside":
        os.environ["VIPD_WAYS"] = "inside"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory() as d:
        for name, line in (("passwd", f"vipd:x:{UID}:{GID}::/:/usr/sbin/nologin\n"), ("group", f"vipd:x:{GID}:\n")):
            text = "".join(l for l in open(f"/etc/{name}") if not l.startswith("vipd:"))
            write(f"{d}/{name}", text + line)
            subprocess.run(["mount", "--bind", f"{d}/{name}", f"/etc/{name}"], check=True)
    for words in ("link set lo up", "link add veth0 type veth peer name veth1", "addr add 192.0.2.1/24 dev veth0",
                  "link set veth0 up", "link set veth1 up"):
        subprocess.run(["ip", *words.split()], check=True)


def controls(site):
    """Shows that the test can fail: root's own hook runs, and a change of root's files is noticed."""
    run(site, "vipd", "--config", site.config, "--runtime-dir", site.run, "--state-dir", site.state, bound=2)
    assert (site.proof / "own").read_text() == "0\n", "root's own hook does not run"
    before = site.roots()
    os.chmod(site.victim / "file", 0o640)
    assert site.roots() != before
    os.chmod(site.victim / "file", 0o600)


def others(site):
    """The service runs as user vipd. A member of group vipd can change nothing, and user nobody can read nothing."""
    site.reset()
    caps = "-all,+net_admin,+net_raw"
    write(site.config, f'[node]\nnotify_fifo = "{site.run}/fifo"\n' + site.text(str(site.hook)), 0o640)
    os.chown(site.config, 0, GID)
    with runner(site) as path, daemon(site, "setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups", f"--inh-caps={caps}",
                                      f"--ambient-caps={caps}", "--", str(site.bin / "vipd"), "--runner", str(path)) as process:
        kept = (site.run / "in-force/1.json", site.top / "kept/history/1.json")
        deadline = time.monotonic() + BOUND
        while not all(map(os.path.exists, kept)) and time.monotonic() < deadline:
            time.sleep(0.02)
        secret = [p for d in (site.run, site.state, site.runner_run, site.top / "kept") for p in [d, *sorted(d.rglob("*"))]] + [site.config]
        assert {site.run / "claims", *kept} <= set(secret), secret
        before = site.roots()
        for who, uid, gid, looks in (("group vipd", UID + 1, GID, True), ("nobody", 65534, 65534, False)):
            said = as_user(uid, gid, lambda: outsider(site, secret, process.pid))
            assert isinstance(said, dict), said
            assert not said["written"], f"{who} writes {said['written']}"
            readable = [p for p in said["read"] if not looks or p not in (str(site.config), str(site.run / "fifo"))]
            assert not readable, f"{who} reads {readable}"
            assert said["verbs"] == {verb: 0 if looks and verb in ("status", "events", "version", "diff") else 5 for verb in said["verbs"]}, f"{who}: {said['verbs']}"
            assert not said["runner"] and not said["signal"], f"{who}: {said}"
        assert not changed(before, site.roots()), changed(before, site.roots())
        code, said = vipctl(site, "status")
        assert code == 0, said


def outsider(site, paths, pid):
    """The files that a user can write or read, and the user's results with the daemon and vipd-runner."""
    done = {"written": [], "read": [], "verbs": {}, "runner": "", "signal": False}
    for path in map(str, paths):
        with contextlib.suppress(OSError):
            made = os.path.join(path, "x") if os.path.isdir(path) else path
            os.close(os.open(made, os.O_WRONLY | os.O_NONBLOCK | (os.O_CREAT if made != path else 0)))
            done["written"].append(path)
        with contextlib.suppress(OSError):
            if not os.path.isdir(path):
                os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                done["read"].append(path)
    for verb in ("status", "events", "version", "diff", "reload", "confirm", "reexec"):
        done["verbs"][verb] = subprocess.run([site.bin / "vipctl", "--runtime-dir", site.run, verb], capture_output=True).returncode
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(2)
        s.connect(str(site.runner_run / "runner.sock"))
        done["runner"] = s.recv(65536).decode()
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGTERM)
        done["signal"] = True
    return done


def main():
    if os.geteuid() != 0:
        print("needs root")
        return 0
    namespaces()
    site = Site(sys.argv[1])
    wanted = sys.argv[2:]
    failed = []
    try:
        controls(site)
        if not wanted: others(site)
        for name, attack in WAYS:
            if wanted and name not in wanted: continue
            site.reset()
            before = site.roots()
            try:
                attack(site, name)
                assert not changed(before, site.roots()), changed(before, site.roots())
            except AssertionError as error:
                failed.append(name)
                print(f"{name}: {error}")
    finally:
        shutil.rmtree(site.top, ignore_errors=True)
    print(f"{len(WAYS)} ways to root: {len(failed)} succeeded or went another way: {' '.join(failed)}")
    return 1 if failed or len(WAYS) < 30 else 0


sys.exit(main())
