"""A model in parts on two hosts that one machine plays: two network namespaces joined by a veth pair, each with a host name
and a /dev/shm of its own, so that ranks reach each other through the network alone. What they answer is what one process
answers; the record names both hosts; the end of one is the end of the other.

Usage: two_hosts.py --pareto PROGRAM [--samples FOLDER] [--only REGEX]
Every case under PARETO_SOAK=1, else a few. Namespaces need root, or a system that lets users make their own. They have no
names: they are gone with their processes, and these with this one, however it ends. Exit status 77, and a line that begins
with SKIP, where something is missing.
"""

import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import slow_link

SKIPPED = 77
PROGRAMS = ("unshare", "nsenter", "ip", "hostname", "mount")
LINK = "link0"
NAMES = ("pareto-a", "pareto-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
SLOW_ADDRESSES = ("10.78.0.1", "10.78.0.2")
# Rank i is on host PLACES[…][i]; tp neighbours come first, so in "across" they are on different hosts.
DIVISIONS = {"tp 2": (2, 1, (0, 1)), "pp 2": (1, 2, (0, 1)), "tp 2 x pp 2, a stage a host": (2, 2, (0, 0, 1, 1)),
             "tp 2 x pp 2, stages across": (2, 2, (0, 1, 0, 1))}
HIDDEN, BLOCKS, TOKENS = 576, 30, 24  # SmolLM2-135M; tokens that are generated
ENDS_WITHIN = 10  # seconds
TIMEOUT = 8       # seconds that a rank may be silent in the cases that cut the link


class Failed(Exception):
    pass


class Missing(Exception):
    pass


def check(holds, said):
    if not holds:
        raise Failed(said)


def skip(reason):
    print(f"SKIP   : two_hosts: {reason}", flush=True)
    sys.exit(SKIPPED)


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Host:
    """Namespaces that a sleeping process holds, and a folder for what the program keeps."""

    def __init__(self, name, folder):
        self.name, self.folder, self.processes = name, folder / name, []
        self.folder.mkdir()
        script = f"hostname {name} && ip link set lo up && mount -t tmpfs tmpfs /dev/shm && echo ready && exec sleep 86400"
        self.holder = subprocess.Popen(["unshare", "--net", "--uts", "--mount", "sh", "-c", script], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, preexec_fn=dies_with_parent)
        self.ready = self.holder.stdout.readline() == "ready\n"

    def inside(self, *words):
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--uts", "--mount", *words]

    def call(self, *words):
        return subprocess.run(self.inside(*words), check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self, words, variables):
        environment = os.environ | variables | {f"XDG_{kind}": str(self.folder)
                                                for kind in ("RUNTIME_DIR", "DATA_HOME", "CACHE_HOME")}
        process = subprocess.Popen(self.inside(*words), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, preexec_fn=dies_with_parent)
        self.processes.append(process)
        return process

    def sent(self, link=LINK):
        """Bytes that left for the other host."""
        return json.loads(self.call("ip", "-json", "-statistics", "link", "show", link))[0]["stats64"]["tx"]["bytes"]

    def end_processes(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes.clear()

    def end(self):
        self.end_processes()
        self.holder.kill()
        self.holder.communicate()


class Two:
    def __init__(self, options, folder):
        self.options, self.folder, self.port = options, folder, 29500
        self.samples = pathlib.Path(options.samples).resolve()
        self.hosts = []
        self.alone = {}

    def __enter__(self):
        for name in NAMES:
            self.hosts.append(Host(name, self.folder))
            if not self.hosts[-1].ready:
                said = self.hosts[-1].holder.communicate()[1].strip()
                self.__exit__()
                skip(f"namespaces cannot be made: {said}")
        first, second = self.hosts
        first.call("ip", "link", "add", "name", LINK, "type", "veth", "peer", "name", LINK, "netns", str(second.holder.pid))
        for host, address in zip(self.hosts, ADDRESSES):
            host.call("ip", "address", "add", address + "/24", "dev", LINK)
            host.call("ip", "link", "set", LINK, "up")
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            host.end()

    def words(self, kind):
        """What is asked, of the sample models."""
        decoder, classifier = str(self.samples / "smollm2-135m"), str(self.samples / "injection-classifier")
        task = {"kind": "classification", "data": str(self.samples / "prompt-injection"), "format": "csv", "split": "test",
                "max_length": 128}
        short = ["--no-paired", "--min-seconds", "0.2", "--min-iterations", "3"]
        return {
            "text": ["generate", decoder, "--prompt", "The capital of France is", "--max-tokens", str(TOKENS)],
            "accuracy": ["eval", classifier, "--task", json.dumps(task), "--limit", "200"],
            "times of an encoder": ["bench", str(self.samples / "minilm"), "--seq", "32", *short],
            "times of a decoder": ["bench", decoder, "--prompt", "16", "--generate", "8", *short],
            "for long": ["bench", decoder, "--prompt", "16", "--generate", "16", "--no-paired", "--min-seconds", "600",
                         "--max-iterations", "10000000"],
        }[kind]

    def start(self, kind, division, timeout=20, address=ADDRESSES[0]):
        tensor, stages, places = DIVISIONS[division]
        self.port += 1
        words = [self.options.pareto, *self.words(kind), "--tp", str(tensor), "--pp", str(stages), "--threads", "1", "--json",
                 "--quiet"]
        variables = {"WORLD_SIZE": str(len(places)), "MASTER_ADDR": address, "MASTER_PORT": str(self.port),
                     "PARETO_RANKS_TOKEN": "two hosts", "PARETO_RANKS_TIMEOUT": str(timeout)}
        return [self.hosts[place].start(words, variables | {"RANK": str(rank), "LOCAL_RANK": str(places[:rank].count(place)),
                                                            "LOCAL_WORLD_SIZE": str(places.count(place))})
                for rank, place in enumerate(places)]

    def answer(self, kind, division, address=ADDRESSES[0]):
        """Of all ranks together; only the first says something."""
        ranks = self.start(kind, division, address=address)
        said = [process.communicate(timeout=180) for process in ranks]
        for rank, (process, (out, err)) in enumerate(zip(ranks, said)):
            check(process.returncode == 0, f"rank {rank} ended with {process.returncode}: {out}{err}")
            check(rank == 0 or out == "", f"rank {rank} said {out}")
        self.hosts[0].processes.clear()
        self.hosts[1].processes.clear()
        return json.loads(said[0][0])

    def of_one(self, kind):
        """The answer of one process outside of all this."""
        if kind not in self.alone:
            home = self.folder / "alone"
            home.mkdir(exist_ok=True)
            environment = os.environ | {f"XDG_{name}": str(home) for name in ("RUNTIME_DIR", "DATA_HOME", "CACHE_HOME")}
            done = subprocess.run([self.options.pareto, *self.words(kind), "--threads", "1", "--json", "--quiet"], check=True,
                                  env=environment, stdout=subprocess.PIPE)
            self.alone[kind] = json.loads(done.stdout)
        return self.alone[kind]

    def same_text(self, division, link=LINK, address=ADDRESSES[0]):
        alone = self.of_one("text")
        before = [host.sent(link) for host in self.hosts]
        found = self.answer("text", division, address)
        sent = [host.sent(link) - start for host, start in zip(self.hosts, before)]
        check(len(alone["token_ids"]) == TOKENS, f"one process generates {alone}")
        for key in ("token_ids", "text"):
            check(found[key] == alone[key], f"{key}: {found[key]}, one process: {alone[key]}")
        # What parts must tell each other came through the link: the states of each token, once from stage to stage, or twice a
        # block where neighbours that sum are on two hosts.
        tensor, _, places = DIVISIONS[division]
        least = TOKENS * HIDDEN * 4 * (2 * BLOCKS if len(set(places[:tensor])) > 1 else 1)
        check(sent[0] >= least, f"{sent[0]} bytes went through the link, {least} are needed")
        return f"{sent[0] / 1e6:.1f} and {sent[1] / 1e6:.1f} MB through the link"

    def same_accuracy(self, division):
        alone, found = self.of_one("accuracy"), self.answer("accuracy", division)
        for key in ("value", "ci_low", "ci_high", "f1_macro", "mcc", "n"):
            check(found[key] == alone[key], f"{key}: {found[key]}, one process: {alone[key]}")
        check(found["details"]["confusion"] == alone["details"]["confusion"], str(found["details"]))
        return f"accuracy {found['value']:.4f}"

    def both_are_named(self, division, kind="times of an encoder"):
        places = DIVISIONS[division][2]
        parts = self.answer(kind, division)["parts"]
        hosts = [part["host"] for part in sorted(parts, key=lambda part: part["rank"])]
        check(hosts == [NAMES[place] for place in places], f"the record names {hosts}")
        check(all(part["bytes"] > 0 and part["seconds"] > 0 for part in parts), str(parts))
        shares = (100 * (part["sums"] + part["handing"]) / part["seconds"] for part in parts)
        return ", ".join(f"rank {part['rank']} on {part['host']} exchanged for {share:.0f} % of the time"
                         for part, share in zip(parts, shares))

    def in_the_middle(self, division, timeout):
        """Ranks that have been exchanging values for a while."""
        ranks = self.start("for long", division, timeout)
        begin, deadline = self.hosts[0].sent(), time.monotonic() + 60
        while self.hosts[0].sent() < begin + 300_000:
            for rank, process in enumerate(ranks):
                if process.poll() is not None:
                    raise Failed(f"rank {rank} ended before anything happened: {''.join(process.communicate())}")
            check(time.monotonic() < deadline, "the ranks exchange nothing")
            time.sleep(0.2)
        return ranks

    def all_end(self, ranks, within, named):
        """Each of the ranks ends within so many seconds, and names one of `named` (ranks with their hosts)."""
        begin, out = time.monotonic(), []
        for rank, process in ranks:
            try:
                said = "".join(process.communicate(timeout=max(0.1, within - (time.monotonic() - begin))))
            except subprocess.TimeoutExpired:
                raise Failed(f"rank {rank} is there after {within} s") from None
            check(process.returncode not in (0, None), f"rank {rank} ended with {process.returncode}: {said}")
            check(any(f"rank {other} on {NAMES[place]}" in said.replace("Rank", "rank") for other, place in named),
                  f"rank {rank} does not name {named}: {said}")
            out.append(time.monotonic() - begin)
        return f"after {max(out):.1f} s"

    def killed(self, division, victim):
        places = DIVISIONS[division][2]
        ranks = self.in_the_middle(division, 60)
        ranks[victim].kill()
        return self.all_end([pair for pair in enumerate(ranks) if pair[0] != victim], ENDS_WITHIN, [(victim, places[victim])])

    def cut(self, division):
        """No packet goes any more, nothing is closed: each side misses the other."""
        places = DIVISIONS[division][2]
        ranks = self.in_the_middle(division, TIMEOUT)
        self.hosts[1].call("ip", "link", "set", LINK, "down")
        try:
            return self.all_end(list(enumerate(ranks)), 2 * TIMEOUT + ENDS_WITHIN, list(enumerate(places)))
        finally:
            self.hosts[1].call("ip", "link", "set", LINK, "up")

    @contextlib.contextmanager
    def shaped(self, *discipline):
        """A queueing discipline on both ends of the link; Missing where the kernel has no such."""
        if shutil.which("tc") is None:
            raise Missing("tc is not installed")
        for host in self.hosts:
            words = host.inside("tc", "qdisc", "add", "dev", LINK, "root", *discipline)
            done = subprocess.run(words, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise Missing(f"tc has no {discipline[0]} here ({done.stderr.strip()})")
        try:
            yield
        finally:
            for host in self.hosts:
                host.call("tc", "qdisc", "del", "dev", LINK, "root")

    def at_a_rate(self, division):
        with self.shaped("tbf", "rate", "100mbit", "burst", "64kb", "latency", "100ms"):
            return self.same_text(division)

    def delayed(self, division):
        try:
            with self.shaped("netem", "delay", "1ms"):
                return self.same_text(division) + ", by netem"
        except Missing as missing:
            try:
                link = slow_link.SlowLink([host.holder.pid for host in self.hosts], 0.001)
            except OSError as problem:
                raise Missing(f"{missing}, and no TUN device can be made: {problem}") from None
        try:
            for host, address in zip(self.hosts, SLOW_ADDRESSES):
                host.call("ip", "address", "add", address + "/24", "dev", slow_link.NAME)
                host.call("ip", "link", "set", slow_link.NAME, "up")
            return self.same_text(division, slow_link.NAME, SLOW_ADDRESSES[0]) + ", by a relay between TUN devices"
        finally:
            link.close()


def cases(two, soak):
    """Names and what is called; those of `./dev test` first."""
    yield "tp 2, text", lambda: two.same_text("tp 2")
    yield "tp 2, hosts", lambda: two.both_are_named("tp 2")
    yield "tp 2, rank 1 killed", lambda: two.killed("tp 2", 1)
    if not soak:
        return
    for division, (_, _, places) in DIVISIONS.items():
        if division != "tp 2":
            yield f"{division}, text", lambda d=division: two.same_text(d)
            yield f"{division}, hosts", lambda d=division: two.both_are_named(d)
        yield f"{division}, hosts of a decoder", lambda d=division: two.both_are_named(d, "times of a decoder")
        yield f"{division}, accuracy", lambda d=division: two.same_accuracy(d)
        for victim in range(len(places)):
            if (division, victim) != ("tp 2", 1):
                yield f"{division}, rank {victim} killed", lambda d=division, v=victim: two.killed(d, v)
        yield f"{division}, the link cut", lambda d=division: two.cut(d)
        yield f"{division}, 1 ms of delay", lambda d=division: two.delayed(d)
        yield f"{division}, 100 Mbit/s", lambda d=division: two.at_a_rate(d)


def default_samples():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("PARETO_SAMPLES") or os.path.join(cache, "pareto-studio", "samples")


def may_make_namespaces():
    """Goes on as root of a user namespace where only that helps."""
    kinds = ["--net", "--uts", "--mount"]
    own = ["unshare", "--user", "--map-root-user"]
    tried = subprocess.run(["unshare", *kinds, "true"], stderr=subprocess.PIPE, text=True)
    if tried.returncode != 0:
        others = subprocess.run([*own, *kinds, "true"], stderr=subprocess.PIPE, text=True)
        if others.returncode != 0:
            skip(f"namespaces cannot be made: {tried.stderr.strip()}; with a user's own: {others.stderr.strip()}")
        os.execvp(own[0], [*own, sys.executable, "-B", *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pareto", required=True)
    parser.add_argument("--samples", default=default_samples())
    parser.add_argument("--only", default="", help="cases whose name has this regular expression")
    options = parser.parse_args()
    for program in PROGRAMS:
        if shutil.which(program) is None:
            skip(f"'{program}' is not installed")
    for sample in ("smollm2-135m", "minilm", "injection-classifier", "prompt-injection"):
        if not (pathlib.Path(options.samples) / sample).is_dir():
            skip(f"the sample {sample} is missing; ./dev setup fetches it")
    may_make_namespaces()
    failed = 0
    with tempfile.TemporaryDirectory() as folder, Two(options, pathlib.Path(folder)) as two:
        for name, run in cases(two, "PARETO_SOAK" in os.environ):
            if not re.search(options.only, name):
                continue
            begin = time.monotonic()
            try:
                print(f"PASS   : two_hosts: {name}: {run()} ({time.monotonic() - begin:.1f} s)", flush=True)
            except Missing as missing:
                print(f"SKIP   : two_hosts: {name}: {missing}", flush=True)
            except (Failed, subprocess.SubprocessError) as problem:
                failed += 1
                print(f"FAIL!  : two_hosts: {name}: {problem}", flush=True)
            for host in two.hosts:
                host.end_processes()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
