"""Mails as servers of many makes send them back, each in its own shape: made up, with addresses and ids of ours."""

from __future__ import annotations

import base64
import quopri

from tests.notifiers.returned import DOMAIN, HEADERS, OURS, crlf

BACK = f"bounces@{DOMAIN}"
TAGGED = f"bounces+{OURS}@{DOMAIN}"


def words(text: str, *, sender: str, subject: str, more: str = "", to: str = BACK) -> bytes:
    """A mail of one text."""
    return crlf(f"From: {sender}\nTo: {to}\nSubject: {subject}\nDate: Wed, 18 Mar 2026 08:10:05 +0800\n{more}\n{text}")


def parts(*several: str, sender: str, subject: str, kind: str = "mixed", more: str = "") -> bytes:
    """A mail of several parts, each with its headers."""
    body = "".join(f"--b0undary\n{one}\n" for one in several)
    form = f'MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary="b0undary"\n{more}'
    return words(f"{body}--b0undary--\n", sender=sender, subject=subject, more=form)


def status(action: str, code: str, diagnostic: str) -> str:
    """A part of the fields of RFC 3464."""
    return (
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.town.example\n\n"
        f"Final-Recipient: rfc822; office@town.example\nAction: {action}\nStatus: {code}\n"
        f"Diagnostic-Code: smtp; {diagnostic}\n"
    )


def text(content: str, charset: str = "utf-8", encoding: str = "base64") -> str:
    """A part of text, encoded."""
    raw = content.encode(charset)
    coded = base64.encodebytes(raw) if encoding == "base64" else quopri.encodestring(raw)
    return f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n{coded.decode()}"


RETURNED = f"Content-Type: message/rfc822\n\n{HEADERS}\ntext\n"
ONLY_HEADERS = f"Content-Type: text/rfc822-headers\n\n{HEADERS}"
ENCODED_HEADERS = (
    "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n"
    + base64.encodebytes(HEADERS.encode()).decode()
)
DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.town.example>"

SHAPES: dict[str, bytes] = {
    "Office 365 with nothing of ours but the references": parts(
        text("Your message couldn't be delivered. The recipient wasn't found."),
        status("failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        sender="<postmaster@town.onmicrosoft.example>",
        subject="Undeliverable: report",
        kind="report; report-type=delivery-status",
        more=f"In-Reply-To: <{OURS}@{DOMAIN}>\nX-MS-Exchange-Message-Is-Ndr:\n",
    ),
    "Exchange with References only": parts(
        text("邮件无法传递给以下收件人或组"),
        status("failed", "5.1.1", "550 5.1.1 User unknown"),
        sender="<postmaster@edu.example.gov.cn>",
        subject="=?utf-8?B?5pyq6YCB6L6+?=",
        more=f"References: <an-other@elsewhere.example>\n <{OURS}@{DOMAIN}>\n",
    ),
    "Sendmail": parts(
        "\n   ----- The following addresses had permanent fatal errors -----\n<office@town.example>\n",
        status("failed", "5.1.1", "550 5.1.1 <office@town.example>... User unknown"),
        RETURNED,
        sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.town.example>",
        subject="Returned mail: see transcript for details",
        kind="report",
    ),
    "Postfix whose report is not available": parts(
        "\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n",
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.town.example\nX-Postfix-Queue-ID: 4f2\n",
        ENCODED_HEADERS,
        sender=DAEMON,
        subject="Undelivered Mail Returned to Sender",
    ),
    "DragonFly, a sender without an address": words(
        "There was an error delivering your mail to <office@town.example>.\n\nmx did not like our RCPT TO:\n"
        f"550 5.1.1 no such user\n\nMessage headers follow.\n\n{HEADERS}",
        sender="MAILER-DAEMON <>",
        subject="Mail delivery failed",
    ),
    "Gmail, all of it quoted-printable": words(
        quopri.encodestring(
            f"Delivery to the following recipient failed permanently:\n\n  office@town.example\n\n"
            f"The error was: 550 5.1.1 no such user\n\n----- Original message -----\n\n{HEADERS}".encode()
        ).decode(),
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject="Delivery Status Notification (Failure)",
        more="X-Failed-Recipients: office@town.example\nContent-Transfer-Encoding: quoted-printable\n",
    ),
    "Gmail workspace, the image and the words nested": parts(
        'Content-Type: multipart/related; boundary="inner"\n\n--inner\nContent-Type: text/html\n\n'
        "<p>Address not found</p>\n\n--inner--\n",
        status("failed", "5.1.1", "550-5.1.1 The email account that you tried to reach does not exist"),
        RETURNED,
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject="Delivery Status Notification (Failure)",
        kind="report",
    ),
    "Domino": parts(
        "\nYour message\n\n  Subject: report\n\nwas not delivered to:\n\n  office@town.example\n\nbecause:\n\n"
        "  User office (office@town.example) not listed in Domino Directory\n",
        ONLY_HEADERS,
        sender="Postmaster@town.example",
        subject="DELIVERY FAILURE: User office not listed in Domino Directory",
    ),
    "Exchange 5.5 by X.400": parts(
        "\nYour message\n\n  To:      office@town.example\n\ndid not reach the following recipient(s):\n\n"
        "c=CN;a= ;p=Town;o=Office;dda:SMTP=office@town.example; on Wed, 18 Mar 2026\n    Unknown Recipient\n",
        RETURNED,
        sender="System Administrator <postmaster@town.example>",
        subject="Undeliverable: report",
    ),
    "MIMEcast": parts(
        "\nAn email that you attempted to send to the following address could not be delivered:\n"
        "-- office@town.example\n\nAdditional information follows :\n-- 5.4.1 Recipient address rejected\n",
        ONLY_HEADERS,
        sender='"postmaster" <postmaster@town.example>',
        subject="[Postmaster] Email Delivery Failure",
    ),
    "Amazon SES": parts(
        "\nAn error occurred while trying to deliver the mail to the following recipients:\noffice@town.example\n",
        status("failed", "5.1.1", "550 5.1.1 user unknown"),
        ONLY_HEADERS,
        sender="MAILER-DAEMON@email-bounces.amazonses.com",
        subject="Delivery Status Notification (Failure)",
        kind="report",
    ),
    "SendGrid, expired": parts(
        "\nI'm sorry to have to tell you that your message was not able to be delivered.\n",
        status("expired", "", "Connection timed out"),
        RETURNED,
        sender="MAILER-DAEMON@sendgrid.example",
        subject="Undelivered Mail Returned to Sender",
    ),
    "IMS, the fields where no part begins": parts(
        sender=DAEMON,
        subject="Delivery Notification: Delivery has failed",
        kind="report",
        more="",
    ).replace(
        b"--b0undary--",
        crlf(
            "Reporting-MTA: dns; mx.town.example\n\nAction: failed\nStatus: 5.1.1 (bad address)\n"
            f"Final-recipient: rfc822;office@town.example\n\n{HEADERS}"
        ),
    ),
    "Sina, parts divided by another boundary": parts(
        "Content-Type: text/plain\n\nThe following addresses had delivery errors: office@town.example [User unknown]\n",
        sender="MAILER-DAEMON@mail.town.example",
        subject="Returned Mail: User unknown",
    ).replace(b"--b0undary--", b"--an0ther\r\n" + crlf(HEADERS)),
    "163": parts(
        text("很遗憾，您的邮件无法送达。\n收件人地址: office@163.example\n原因: 550 User not found", "gb18030"),
        RETURNED,
        sender="Postmaster@163.example",
        subject=f"=?gb18030?B?{base64.b64encode('系统退信/Systems bounce'.encode('gb18030')).decode()}?=",
    ),
    "Tencent Exmail": parts(
        text("抱歉，您的邮件被退回来了。收件人地址不存在，邮件无法送达。", "gb18030"),
        "Content-Type: message/rfc822\nContent-Disposition: attachment; filename=original.eml\n\n" + HEADERS,
        sender='"PostMaster@exmail.example" <PostMaster@exmail.example>',
        subject=f"=?gb18030?B?{base64.b64encode('来自exmail的退信'.encode('gb18030')).decode()}?=",
    ),
    "Coremail": parts(
        text(f"您的邮件未能送达: office@town.example\n错误: 用户不存在\n\n--- 原始邮件 ---\n\n{HEADERS}", "gb18030"),
        sender='"mail_admin" <postmaster@town.example>',
        subject="=?gb18030?B?zcvQxQ==?=",
        more="Return-Path: <>\n",
    ),
    "a gateway of a telephone company": parts(
        text("送信できませんでした。Could not be delivered to: office@town.example"),
        RETURNED,
        sender="no-reply@phone.example",
        subject="=?utf-8?B?44Oh44O844Or44Ko44Op44O8?=",
    ),
    "m-FILTER, nobody at all": words(
        f"550 office@town.example... No such user\n\n-------original mail info\n{HEADERS}",
        sender="<>",
        subject="failure notice",
    ),
    "a part of a message": parts(
        status("failed", "5.1.1", "553 Invalid recipient"),
        f"Content-Type: message/partial\n\n{HEADERS}",
        sender=DAEMON,
        subject="Returned mail",
        kind="report",
    ),
}
"""By what sent it: all of them say that the mail OURS came to nothing because of its address."""

NOTHING_OF_OURS = words(
    "Hi. This is the qmail-send program.\nI'm afraid I wasn't able to deliver your message.\n\n<office@town.example>:\n"
    "Sorry, no mailbox here by that name. (#5.1.1)\n",
    sender="MAILER-DAEMON@mail.town.example",
    subject="failure notice",
)
"""Nothing in it tells which mail it is about, but the address it is sent to."""


def refused(code: str, said: str) -> bytes:
    """A notification of a refusal in these words."""
    return parts(
        status("failed", code, said), ONLY_HEADERS, sender=DAEMON, subject="Undelivered Mail Returned to Sender"
    )


VACATION_TO_THE_ENVELOPE = words(
    "I am on leave until Monday. For urgent mail about boxes that are full write to my colleague, room 550.",
    sender="Li <office@town.example>",
    subject="Re: report",
    more="Return-Path: <>\nAuto-Submitted: auto-replied\n",
    to=TAGGED,
)
COMPLAINT = parts(
    text("This is a report of abuse. The message could not be delivered to the inbox."),
    "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n",
    RETURNED,
    sender=DAEMON,
    subject="complaint",
    kind="report; report-type=feedback-report",
)
READ = parts(
    text("Your message was displayed."),
    "Content-Type: message/disposition-notification\n\nDisposition: manual-action; displayed\n",
    RETURNED,
    sender="office@town.example",
    subject="Read: report",
    kind="report; report-type=disposition-notification",
)
POSSIBLE = parts(
    text("Enclosed is the mail delivery report that you requested."),
    status("deliverable", "2.1.5", "250 2.1.5 Ok"),
    RETURNED,
    sender=DAEMON,
    subject="Mail Delivery Status Report",
)
FORWARDED_BY_A_PERSON = parts(
    text("What does this mean? It says it could not be delivered."),
    RETURNED,
    sender="Li <office@town.example>",
    subject="Fwd: report",
    more=f"In-Reply-To: <{OURS}@{DOMAIN}>\n",
)
