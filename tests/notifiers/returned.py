"""Mails as servers send them back: RFC 3464's own shape, and those of Postfix, OpenSMTPD, Exchange, Exim, qmail, QQ.

Written after what these servers send, with addresses and ids of ours. `OURS` is the mail all of them are about.
"""

from __future__ import annotations

import base64

OURS = "019d0e3a-7b1c-7f00-8a55-0123456789ab"
DOMAIN = "example.org"
HEADERS = f"""From: =?utf-8?b?5o6n6L6N5L+d5a2m?= <baoxue@{DOMAIN}>
To: office@town.example
Subject: =?utf-8?b?5oql5ZGK?=
Date: Wed, 18 Mar 2026 00:10:00 +0000
Message-ID: <{OURS}@{DOMAIN}>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
"""


def crlf(text: str) -> bytes:
    """As on the wire."""
    return text.replace("\n", "\r\n").encode("utf-8")


def report(action: str, status: str, *, envelope: str | None = OURS, headers: str = HEADERS, extra: str = "") -> bytes:
    """A notification by the letter of RFC 3464, as Postfix writes it."""
    named = f"Original-Envelope-Id: {envelope}\n" if envelope else ""
    return crlf(f"""Return-Path: <>
Date: Wed, 18 Mar 2026 08:10:05 +0800 (CST)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces@{DOMAIN}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4f2.1773/mx.example.org"
Message-Id: <20260318001005.4f2@mx.example.org>

This is a MIME-encapsulated message.

--4f2.1773/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.org.

<office@town.example>: host mx.town.example[192.0.2.7] said: 550 5.1.1
    <office@town.example>: Recipient address rejected (in reply to RCPT TO command)

--4f2.1773/mx.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
{named}X-Postfix-Queue-ID: 4f2
X-Postfix-Sender: rfc822; bounces@{DOMAIN}
Arrival-Date: Wed, 18 Mar 2026 08:10:01 +0800 (CST)

Final-Recipient: rfc822; office@town.example
Original-Recipient: rfc822;office@town.example
Action: {action}
Status: {status}
Remote-MTA: dns; mx.town.example
Diagnostic-Code: smtp; 550 5.1.1 <office@town.example>: Recipient address rejected
{extra}
--4f2.1773/mx.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

{headers}
--4f2.1773/mx.example.org--
""")


OPENSMTPD = crlf(f"""Delivered-To: bounces@{DOMAIN}
Received: from localhost (mx [local])
\tby mx (OpenSMTPD) with ESMTPA id 34dfdcfd
\tfor <bounces@{DOMAIN}>;
\tWed, 18 Mar 2026 00:10:21 +0000 (UTC)
Subject: Delivery status notification: failed
From: Mailer Daemon <MAILER-DAEMON@mx.example.org>
To: bounces@{DOMAIN}
Date: Wed, 18 Mar 2026 00:10:21 +0000 (UTC)
MIME-Version: 1.0
Content-Type: multipart/mixed;boundary="8604434204841579767/mx.example.org"
Message-ID: <d191a59cc08146d7@mx>

This is a MIME-encapsulated message.

--8604434204841579767/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

office@town.example: 550 5.1.1 no such user

    Below is a copy of the original message:

--8604434204841579767/mx.example.org
Content-Description: Delivery Report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; office@town.example
Action: failed
Status: 5.0.0

--8604434204841579767/mx.example.org
Content-Description: Message headers
Content-Type: text/rfc822-headers

Received: from [127.0.0.1] (localhost [127.0.0.1])
\tby mx.example.org (OpenSMTPD) with ESMTP id 714f8ec4
{HEADERS}
正文

--8604434204841579767/mx.example.org--
""")

EXCHANGE = crlf(f"""From: <postmaster@edu.example.gov.cn>
To: <bounces@{DOMAIN}>
Date: Wed, 18 Mar 2026 08:10:09 +0800
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="a1b2c3d4-5e6f"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: zh-CN
Message-ID: <e77e5b40-ndr@edu.example.gov.cn>
In-Reply-To: <{OURS}@{DOMAIN}>
References: <{OURS}@{DOMAIN}>
Subject: =?utf-8?B?{base64.b64encode("未送达: 控辍保学报告".encode()).decode()}?=
Auto-Submitted: auto-replied
MIME-Version: 1.0

--a1b2c3d4-5e6f
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="inner"

--inner
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

{base64.b64encode("邮件无法传递给以下收件人或组: office@town.example".encode()).decode()}

--inner--

--a1b2c3d4-5e6f
Content-Type: message/delivery-status

Reporting-MTA: dns;MAIL01.edu.example.gov.cn

Final-Recipient: rfc822;office@town.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: office

--a1b2c3d4-5e6f
Content-Type: message/rfc822

{HEADERS}
text

--a1b2c3d4-5e6f--
""")

EXIM = crlf(f"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@mail.town.example>
To: bounces@{DOMAIN}
X-Failed-Recipients: office@town.example
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abcde-0001@mail.town.example>
Date: Wed, 18 Mar 2026 08:10:11 +0800

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  office@town.example
    mailbox is full: retry timeout exceeded

------ This is a copy of the message, including all the headers. ------

Return-path: <bounces@{DOMAIN}>
{HEADERS}
正文 2.0.0
""")

QMAIL = crlf(f"""Return-Path: <>
Date: 18 Mar 2026 00:10:30 -0000
From: MAILER-DAEMON@mail.town.example
To: bounces@{DOMAIN}
Subject: failure notice

Hi. This is the qmail-send program at mail.town.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<office@town.example>:
192.0.2.7 does not like recipient.
Remote host said: 553 sorry, that domain isn't in my list of allowed rcpthosts
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <bounces@{DOMAIN}>
{HEADERS}
text
""")


def _base64_gb(text: str) -> str:
    return base64.encodebytes(text.encode("gb18030")).decode()


_QQ_WORDS = (
    "<p>抱歉，您的邮件被退回来了……</p><p>无法发送到 10000@qq.com</p>"
    "<p>退信原因 收件人邮件地址（10000@qq.com）不存在，邮件无法送达。</p>"
    "<p>host mx.qq.com said: 550 Mailbox not found.</p>"
)
QQ = crlf(f"""From: "PostMaster@qq.com" <PostMaster@qq.com>
To: bounces@{DOMAIN}
Subject: =?gb18030?B?{base64.b64encode("来自qq.com的退信".encode("gb18030")).decode()}?=
MIME-Version: 1.0
Date: Wed, 18 Mar 2026 08:10:12 +0800
Content-Type: multipart/mixed; boundary="----=_NextPart_QQ"

------=_NextPart_QQ
Content-Type: text/html; charset="gb18030"
Content-Transfer-Encoding: base64

{_base64_gb(_QQ_WORDS)}
------=_NextPart_QQ
Content-Type: message/rfc822
Content-Disposition: attachment; filename="original.eml"

{HEADERS}
text

------=_NextPart_QQ--
""")

WARNING = crlf(f"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@mail.town.example>
To: bounces@{DOMAIN}
Auto-Submitted: auto-replied
Subject: Warning: message 1abcde-0001 delayed 24 hours
Date: Wed, 18 Mar 2026 08:30:00 +0800

This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mail.town.example.

The message identifier is:     1abcde-0001
The header Message-ID is:      <{OURS}@{DOMAIN}>

  office@town.example: 451 4.7.1 greylisted

No action is required on your part.
""")

OUT_OF_OFFICE = crlf(f"""From: =?utf-8?B?{base64.b64encode("李主任".encode()).decode()}?= <office@town.example>
To: bounces@{DOMAIN}
Subject: =?utf-8?B?{base64.b64encode("自动回复: 控辍保学报告".encode()).decode()}?=
In-Reply-To: <{OURS}@{DOMAIN}>
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
Date: Wed, 18 Mar 2026 08:10:13 +0800
Content-Type: text/plain; charset="utf-8"

您好，我外出开会，有急事请拨打 0911-5501234，办公室 550 室。
""")

VACATION = crlf(f"""Return-Path: <>
From: Postmaster Wang <postmaster@town.example>
To: bounces@{DOMAIN}
Subject: Out of Office: report
References: <{OURS}@{DOMAIN}>
Auto-Submitted: auto-replied (vacation)
Date: Wed, 18 Mar 2026 08:10:13 +0800

I am away until Monday. My room is 550 at the end of the hall; the address 5.1.1.7 is not mine.
""")

A_PERSON = crlf(f"""From: Li <office@town.example>
To: bounces@{DOMAIN}
Subject: Re: report could not be delivered?
In-Reply-To: <{OURS}@{DOMAIN}>
Date: Wed, 18 Mar 2026 08:12:00 +0800

Thank you, I have it. Earlier ones said 550 5.1.1 to me.
""")
