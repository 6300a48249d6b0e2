"""Why a message was not, or not surely, taken by a channel, as patterns with their words in 中文."""

from __future__ import annotations

import re

from notifiers import trust
from notifiers.patterns import Patterns, compiled

_CERTIFICATES = {
    trust.UNTRUSTED: "证书的签发机构不受信任，请把该机构的PEM文件填入 network.ca_file",
    trust.EXPIRED: "证书已过期",
    trust.NOT_YET_VALID: "证书尚未生效，请检查本机时钟",
    trust.OF_ANOTHER_HOST: "证书不是这台主机的，请检查配置中的主机名",
    trust.REVOKED: "证书已被吊销",
    trust.OTHERWISE_REFUSED: "证书不被接受",
}

CHANNEL_FAULTS: Patterns = compiled(
    # the way to a receiver, and what it answers
    (r"(?P<a>\S+): the connection was refused or lost before the request was sent", "{a}：连接被拒绝或中断"),
    (r"(?P<a>\S+): the host name is not known", "{a}：主机名解析不了，请检查网址和DNS"),
    (r"(?P<a>\S+): no connection in time", "{a}：没有按时连上"),
    (r"(?P<a>\S+): no answer in time after the request was sent", "{a}：请求发出后没有按时答复，对方可能已收到"),
    (r"(?P<a>\S+): the connection broke after the request was sent", "{a}：请求发出后连接中断，对方可能已收到"),
    (r"(?P<a>\S+): the URL or a header is malformed", "{a}：网址或请求头写法不对"),
    (r"(?P<a>\S+): the request has a character no header or URL may hold", "{a}：网址或请求头中有不允许的字符"),
    (
        r"(?P<a>\S+): answered (?P<b>\d+) with a web page, as a proxy would",
        "{a}：答复的是网页（{b}），可能是登录页或代理",
    ),
    (r"(?P<a>\S+): answered (?P<b>\d+) without a reason", "{a}：答复{b}，没有说明原因"),
    (r"(?P<a>\S+): the answer is no JSON", "{a}：答复不是JSON"),
    (
        r"(?P<a>\S+): the proxy (?P<b>\S+) refused: (?P<c>407).*",
        "{a}：代理服务器{b}要求登录（{c}），请检查 network.proxy_username 和密码",
    ),
    (r"(?P<a>\S+): the proxy (?P<b>\S+) refused: (?P<c>\d+).*", "{a}：代理服务器{b}拒绝转发（{c}）"),
    (r"(?P<a>\S+): the proxy (?P<b>\S+) was not reached: .*", "{a}：代理服务器{b}连接不上"),
    (r"libcurl failed unexpectedly", "libcurl意外出错，请看日志"),
    # gateways, providers, robots
    (
        r"the gateway answered (?P<a>\d+) with a web page, as a proxy would",
        "网关答复的是网页（{a}），可能是登录页或代理",
    ),
    (
        r"the gateway answered (?P<a>\d+) with a text that is called a web page",
        "网关的答复类型是网页（{a}），看不出是否接收",
    ),
    (
        r"the gateway's answer lacks the field that says whether it took the message",
        "网关的答复没有说明是否接收，请检查 ok_field",
    ),
    (r"the gateway's answer is no JSON", "网关的答复不是JSON"),
    (
        r"the gateway answered (?P<a>.+), and no ok_field says what that means",
        "网关答复{a}，没有配置 ok_field，不知是否接收",
    ),
    (r"the gateway had the message already: (?P<a>.+)", "网关称此前已收到（{a}）"),
    (r"(?P<a>.+?)'s answer lacks its \w+", "{a}的答复不完整，不知是否接收"),
    (
        r"(?P<a>.+?)'s answer (?:does not say whether it was taken|says nothing of the number)",
        "{a}的答复没有说明是否接收",
    ),
    (r"the gateway did not take the message: (?P<a>.+)", "网关没有接收（{a}）"),
    (r"(?P<a>.+) did not take the message: (?P<b>.+)", "{a}没有接收（{b}）"),
    (r"the modem's outbox cannot be written: (?P<a>.+)", "短信猫的发件目录写不进去（{a}）"),
    (r"the modem's folders cannot be read: (?P<a>.+)", "短信猫的目录读取不了（{a}）"),
    (r"no approved template for (?P<a>\w+)", "没有报备可用的短信模板（{a}）"),
    (r"the template's variables are longer than the provider takes", "短信模板的变量超过服务商的长度上限"),
    (r"the template has no room for (?P<a>\w+)", "短信模板的变量放不下 {a}"),
    # mail servers
    (r"the sender was refused: (?P<a>.+)", "邮件服务器不接受发件人（{a}）"),
    (r"the recipient was refused: (?P<a>.+)", "邮件服务器不接受收件人（{a}）"),
    (r"the mail was refused: (?P<a>.+)", "邮件服务器拒收（{a}）"),
    (r"the connection to the mail server broke before the mail was sent", "邮件发出前与邮件服务器的连接中断"),
    (
        r"the connection to the mail server broke after the mail was sent",
        "邮件发出后与邮件服务器的连接中断，可能已收下",
    ),
    (r"the mail server did not answer in time before the mail was sent", "邮件发出前邮件服务器没有按时答复"),
    (r"the mail server did not answer in time after the mail was sent", "邮件发出后邮件服务器没有按时答复，可能已收下"),
    (r"mail server (?P<a>\S+): refused the login.*", "邮件服务器{a}拒绝登录"),
    (r"(?:mail server )?(?P<a>\S+): refused to talk: (?P<b>\d+)", "邮件服务器{a}拒绝连接（{b}）"),
    (r"(?:mail server )?(?P<a>\S+): offers no login by a password", "邮件服务器{a}不支持用密码登录"),
    (r"(?:mail server )?(?P<a>\S+): offers no STARTTLS, .*", "邮件服务器{a}不支持STARTTLS，不能明文发送"),
    (r"mail server (?P<a>\S+): not reached, or the connection was lost", "邮件服务器{a}连接不上或连接中断"),
    *(
        (rf"mail server (?P<a>\S+): {re.escape(english)}", f"邮件服务器{{a}}：{chinese}")
        for english, chinese in _CERTIFICATES.items()
    ),
    (r"(?P<a>.+?): refused the login.*", "{a}拒绝登录"),
    (r"(?P<a>.+?): (?:not reached, or )?the connection was lost", "{a}连接不上或连接中断"),
    (r"(?P<a>.+?): the secure connection failed.*", "{a}安全连接失败，请检查证书和端口"),
    (r"the address needs SMTPUTF8, which the server does not offer", "邮箱地址含非英文字符，邮件服务器不支持"),
    (r"the bounce mailbox is no Maildir with new and cur", "退信邮箱不是Maildir（缺少 new、cur）"),
    (r"the bounce mailbox cannot be read: (?P<a>.+)", "退信邮箱读取不了（{a}）"),
    # the recipient, the message, ourselves
    (r"did not arrive: (?P<a>.+)", "未送达（{a}）"),
    (r"did not arrive", "未送达"),
    (r"the address is no telephone number", "号码不是电话号码"),
    (r"the recipient has no usable mail address", "邮箱地址不可用"),
    (r"no endpoint of that name is configured", "没有配置这个接口"),
    (r"the message has no body for a webhook", "该消息不能推送到接口"),
    (r"the recipient has no address on this channel any more", "联系人在该渠道已没有号码或地址可用"),
    (r"a landline(?P<a>:.*)?", "座机号码，收不到短信"),
    (r"a service number, like 400 or 800(?P<a>:.*)?", "400、800等服务号码，收不到短信"),
    (r"no mobile number(?P<a>:.*)?", "不是手机号码，收不到短信"),
    (r"the channel is not configured any more", "该渠道已不在配置中"),
    (r"could not be put into words, see the log", "消息文字生成失败，请看日志"),
    (r"unexpected failure, see the log", "程序意外出错，请看日志"),
    (r"had to wait too long", "排队时间过长，稍后再发"),
    (r"refused for good", "被拒收"),
    # a receiver named without its address
    (r"(?P<a>.*?)(?:: )?answered 429.*", "{a}要求放慢发送（429）"),
    (r"(?P<a>.*?)(?:: )?answered (?P<b>4\d\d).*", "{a}拒收（{b}）"),
    (r"(?P<a>.*?)(?:: )?answered (?P<b>5\d\d).*", "{a}暂时出错（{b}）"),
    (r"(?P<a>.*?)(?:: )?answered (?P<b>\d+), a redirect.*", "{a}要求改址（{b}），请直接填写最终地址"),
)
"""Of one that fits several the first counts."""

SEVERAL = re.compile(r"(?P<count>\d+) addresses were refused one after another: (?P<reason>.+)", re.DOTALL)
"""Why a channel is taken to fail, with the reason for the last address."""
