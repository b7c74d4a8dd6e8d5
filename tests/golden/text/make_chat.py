#!/usr/bin/env python3
"""Chat templates: what transformers makes of the published templates in chat/*.jinja.

    make_chat.py                          writes chat.json beside this file
    make_chat.py CHAT_TOOL [MORE.json]    compares the built chat_tool with transformers, also on more
                                          templates ({"name": "template"})

A case is a template, a conversation and options; the answer is the prompt, or null where the template
refuses the conversation. The templates were published with their models; the files come from the
repositories chujiezheng/chat_templates and huggingface/huggingface.js (tests of its Jinja), both MIT.
"""
import datetime
import json
import os
import subprocess
import sys

os.environ["TZ"] = "UTC"
from transformers.utils import chat_template_utils as utils  # noqa: E402

NOW = 1_750_000_000
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
HELLO = {"role": "user", "content": " Hello, how are you? "}
FINE = {"role": "assistant", "content": "I'm fine: \"thanks\" <b> & é中😀\n\nSecond paragraph.\n"}
SYSTEM = {"role": "system", "content": "You are a friendly pirate.\nAlways."}
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a \"city\" & more: é",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "The city, e.g. Paris"},
        "days": {"type": "integer", "description": "How many", "enum": [1, 2.5, None, True]}}}}}
CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"id": "abcdefgh1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}}]}
RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "abcdefgh1", "content": "{\"degrees\": 21.5}"}
CONVERSATIONS = {
    "one": [HELLO], "turns": [HELLO, FINE, {"role": "user", "content": "Tell me a joke.\n"}],
    "system": [SYSTEM, HELLO, FINE, {"role": "user", "content": "And now?"}],
    "answered": [SYSTEM, HELLO, FINE], "thinking": [
        HELLO, {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nOk."}, {"role": "user", "content": "More"}],
    "wrong order": [HELLO, HELLO], "parts": [{"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image"}]}],
    "tools": [SYSTEM, HELLO, CALL, RESULT, FINE, {"role": "user", "content": "Thanks"}], "none": []}


def cases():
    for name, messages in CONVERSATIONS.items():
        for generation in (False, True):
            yield {"name": name, "messages": messages, "generation": generation}
    yield {"name": "tools offered", "messages": CONVERSATIONS["tools"], "generation": True, "tools": [TOOL]}
    yield {"name": "tools at once", "messages": [HELLO], "generation": True, "tools": [TOOL, TOOL]}
    yield {"name": "no thinking", "messages": CONVERSATIONS["turns"], "generation": True, "variables": {"enable_thinking": False}}


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)


def expected(template, case):
    utils.datetime = FixedTime
    try:
        return utils._compile_jinja_template(template).render(
            messages=case["messages"], tools=case.get("tools"), documents=None,
            add_generation_prompt=case["generation"], **TOKENS, **case.get("variables", {}))
    except Exception:  # the template refuses, or looks for what the conversation does not have
        return None


def request(template, case):
    return {"template": template, "tokens": TOKENS, "now": NOW, **case}


def compare(tool, templates):
    wanted = [(name, text, case) for name, text in templates.items() for case in cases()]
    run = subprocess.run([tool], check=True, stdout=subprocess.PIPE, env={**os.environ, "TZ": "UTC"},
                         input="".join(json.dumps(request(text, case)) + "\n" for _, text, case in wanted).encode())
    bad = refused = 0
    for (name, text, case), line in zip(wanted, run.stdout.decode().splitlines()):
        answer, theirs = json.loads(line), expected(text, case)
        refused += theirs is None
        if answer.get("text") != theirs:
            bad += 1
            if bad <= 10:
                print(f"DIFFERENT {name}, {case['name']}, generation {case['generation']}\n"
                      f"  ours   {json.dumps(answer)[:600]}\n  theirs {json.dumps(theirs)[:600]}")
    print(f"{len(templates)} templates, {len(wanted)} prompts ({refused} refused), {bad} differences")
    return 1 if bad else 0


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    templates = {}
    for name in sorted(os.listdir(os.path.join(here, "chat"))):
        with open(os.path.join(here, "chat", name), encoding="utf-8", newline="") as file:
            templates[name.removesuffix(".jinja")] = file.read()
    if len(sys.argv) > 1:
        for more in sys.argv[2:]:
            with open(more, encoding="utf-8") as file:
                templates |= json.load(file)
        return compare(sys.argv[1], templates)
    golden = {"tokens": TOKENS, "now": NOW, "cases": list(cases()),
              "prompts": {name: [expected(text, case) for case in cases()] for name, text in templates.items()}}
    with open(os.path.join(here, "chat.json"), "w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=False, indent=0)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
