"""What a returned mail failed for: the recipient's address, the mail itself, or its sender and his server."""

from __future__ import annotations

import re

from notifiers.contract import Fault

_BAD_ADDRESS = re.compile(
    r"(?:user|recipient|mailbox|account|address|person|receiver)\s+(?:is\s+|was\s+|has\s+been\s+)?(?:unknown|invalid|disabled|inactive"
    r"|suspended|blocked|unavailable|not\s+(?:found|known|listed|exist|available|local|valid))"
    r"|(?:unknown|invalid|no\s+such|bad|non-?existent|disabled)\s+(?:\w+\s+)?"
    r"(?:user|recipient|mailbox|account|address|person|domain|destination)"
    r"|(?:does\s+not|doesn'?t|didn'?t)\s+(?:exist|have\s+an?\s+account)|no\s+mailbox|recipient\s?not\s?found"
    r"|over\s?quota|quota\s+exceeded|mailbox\s+(?:is\s+)?full|full\s+mailbox"
    r"|host\s+(?:not\s+found|unknown)|NXDOMAIN|domain\s+is\s+not\s+reachable"
    r"|不存在|已停用|被冻结|已注销|邮箱已满|空间不足|容量不足|用户未找到|收件人(?:地址)?(?:错误|无效|未知)"
    r"|域名(?:错误|无效)|查无此",
    re.IGNORECASE,
)
"""What servers of all makers say of an address nobody reads, or nobody can be written to at."""
_OF_THE_MAIL = re.compile(
    r"spam(?!haus)|virus|malware|phish|\bDT:(?:SPM|SUM)\b|content\s+(?:rejected|denied|refused|blocked)"
    r"|(?:suspicious|banned)\s+(?:content|url|attachment)|too\s+(?:large|big)|(?:message|mail)\s+size"
    r"|exceeds\s+(?:the\s+)?(?:maximum|size)|垃圾邮件|病毒|内容(?:被拒|违规|不合|含)|邮件(?:过大|超过)",
    re.IGNORECASE,
)
_OF_THE_SENDER = re.compile(
    r"block(?:ed|ing|list)|black\s?list|\bRBL\b|DNSBL|spamhaus|\bSPF\b|\bDKIM\b|\bDMARC\b|reverse\s+DNS|\bPTR\b|\brDNS\b"
    r"|rate\s?limit|frequency|too\s+(?:many|fast)|throttl|relay|authenticat|reputation|policy|client\s+host|greylist"
    r"|not\s+(?:allowed|permitted|authorized)\s+to\s+(?:send|relay)|sender\s+(?:address\s+)?(?:rejected|denied|verify)"
    r"|service\s+refuse|\bRP:\w+|黑名单|频率|发信(?:过于|受限|IP)|反垃圾|拦截|策略|发件人",
    re.IGNORECASE,
)
"""What they say of a server they take no mail from, or not so much, or not in this name."""
_BY_CODE = (
    (re.compile(r"\d\.1\.[78]\b"), Fault.ACCOUNT),  # a bad sender
    (re.compile(r"\d\.1\.\d"), Fault.ADDRESS),
    (re.compile(r"\d\.2\.3\b"), Fault.MESSAGE),  # longer than the mailbox takes
    (re.compile(r"\d\.2\.\d"), Fault.ADDRESS),
    (re.compile(r"\d\.3\.4\b"), Fault.MESSAGE),  # longer than the server takes
    (re.compile(r"\d\.4\.[14]\b"), Fault.ADDRESS),  # no host, or none that takes mail
    (re.compile(r"\d\.5\.\d"), Fault.ACCOUNT),
    (re.compile(r"\d\.6\.\d"), Fault.MESSAGE),
    (re.compile(r"\d\.7\.\d"), Fault.ACCOUNT),
)
"""By enhanced status code (RFC 3463), where the words decide nothing."""


def is_bad_address(words: str) -> bool:
    """Return whether a server's words say that nobody reads mails to the address."""
    return _BAD_ADDRESS.search(words) is not None


def cause_of(code: str | None, words: str) -> Fault:
    """Return where the fault lies by a server's code and words; with the address where nothing says otherwise.

    Words count before codes: many servers say 5.7.1 of a user they do not know, and 5.1.1 of a sender they block.
    """
    if is_bad_address(words):
        return Fault.ADDRESS
    if _OF_THE_MAIL.search(words):
        return Fault.MESSAGE
    if _OF_THE_SENDER.search(words):
        return Fault.ACCOUNT
    return next((fault for form, fault in _BY_CODE if form.match(code or "")), Fault.ADDRESS)
