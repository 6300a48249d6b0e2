"""Why a channel did not take a message is said in 中文, whatever module says it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifiers import answers, email, proxied, smtp, trust
from notifiers.glosses import fault_words
from notifiers.smtp_refusals import Stage
from tests.notifiers.letters import noon

ROOT = Path(email.__file__).parents[1]
SAYING = [*sorted((ROOT / "notifiers").rglob("*.py")), *sorted((ROOT / "daemon" / "jobs").glob("*.py"))]
MANY = 25
PLACE, PROXY = "https://sms.example.org:8443", "proxy.example.org:3128"


def written(node: ast.expr) -> str | None:
    """The text of a literal, with 7 for whatever is filled in; None for anything else."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
    return None


def literal_reasons() -> Iterator[str]:
    """Every reason that is written where a DeliveryError is made."""
    for path in SAYING:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "DeliveryError":
                text = written(node.args[0]) if node.args else None
                if text is not None and not text.startswith("7: 7"):  # those are put together below
                    yield text


def composed_reasons() -> Iterator[str]:
    """Every reason that is put together elsewhere, as it comes out."""
    for why in (answers.REFUSED, answers.NOT_KNOWN, answers.NOT_SECURE, answers.NOT_REACHED):
        yield answers.unsent(PLACE, why).reason
        yield proxied.proxy_unreached(PLACE, PROXY, why).reason
    for late in (True, False):
        yield answers.lost(PLACE, late=late).reason
        for when in ("before", "after"):
            yield f"{email._lost(TimeoutError() if late else OSError(), when)}"
    for status in (302, 304, 400, 401, 403, 404, 407, 409, 410, 413, 418, 422, 429, 500, 502, 503, 504, 511):
        if (refused := answers.refusal(PLACE, status, None, noon)) is not None:
            yield refused.reason
        yield proxied.proxy_refusal(PLACE, PROXY, status).reason
    for why in (trust.UNTRUSTED, trust.EXPIRED, trust.NOT_YET_VALID, trust.OF_ANOTHER_HOST, trust.REVOKED):
        yield answers.distrusted(PLACE, why).reason
        yield f"mail server mail.example.org:587: {why}"
    yield f"mail server mail.example.org:587: {smtp.NOT_SECURE}"
    yield from (f"{stage.value}: 550 5.7.1" for stage in Stage)
    yield answers.replaced_by_page(PLACE, 200).reason


@pytest.mark.parametrize("text", sorted({*literal_reasons(), *composed_reasons()}))
def test_every_reason_of_a_channel_is_said_in_chinese(text: str) -> None:
    assert "原文" not in fault_words(text, original=False), text


def test_the_reasons_written_where_errors_are_made_are_found() -> None:
    assert len(set(literal_reasons())) > MANY


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (f"{PLACE}: answered 401", f"{PLACE}：拒绝访问（401），请检查令牌和权限"),
        (f"{PLACE}: answered 404", f"{PLACE}：网址不存在（404），请检查网址"),
        (f"{PLACE}: answered 500", f"{PLACE}：服务器暂时出错（500）"),
        (
            f"{PLACE}: no answer in time after the request was sent",
            f"{PLACE}：请求发出后没有按时答复，对方可能已收到",
        ),
        ("the recipient was refused: 550 5.1.1", "邮件服务器不接受收件人（550 5.1.1）"),
        (
            "3 addresses were refused one after another: the recipient was refused: 550",
            "接连3个地址被拒：邮件服务器不接受收件人（550）",
        ),
    ],
)
def test_a_reason_says_what_a_receiver_of_messages_did_and_not_what_a_feed_would(english: str, chinese: str) -> None:
    assert fault_words(english, original=False) == chinese
