import { answer, ask } from '../unit/wire-exchanges.ts';
import { type Case, MIB, noise, traffic, trickle, unshown } from './case.ts';

/** A record of TLS, https://www.rfc-editor.org/rfc/rfc8446#section-5.1. */
function record(type: number, payload: Buffer): Buffer {
  const head = Buffer.from([type, 3, 1, 0, 0]);
  head.writeUInt16BE(payload.length, 3);
  return Buffer.concat([head, payload]);
}

/** A ClientHello to wool.example, https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2. */
function clientHello(): Buffer {
  const ciphers = '0006130213031301';
  const extensions = '00000011000f00000c776f6f6c2e6578616d706c65' + '000a00040002001d' + '002b0003020304';
  const rest = Buffer.from(`00${ciphers}01000024${extensions}`, 'hex');
  const body = Buffer.concat([Buffer.from('0303', 'hex'), noise('client random', 32), rest]);
  return record(0x16, Buffer.concat([Buffer.from([1, 0, 0, body.length]), body]));
}

const CLIENT_HELLO = clientHello();
const SERVER_HELLO = record(0x16, noise('server hello', 90));
const sealed = (text: string) => record(0x17, noise(text, 20));
const ALERT = Buffer.from('15030300020100', 'hex');

const TLS: Case[] = [
  traffic(
    'TLS that nobody ends on the way',
    [
      { c: CLIENT_HELLO },
      { s: SERVER_HELLO },
      { c: sealed('1') },
      { s: sealed('2') },
      { c: ALERT },
      { s: ALERT },
    ],
    'TCP "> \\u0016\\u0003\\u0001\\u0000W\\u0001\\u0000\\u0000S\\u0003\\u0003=\u009bU[\u0098g\u008c¨ÕË2\\u0004ÿd\\f2\u0086\u0092­å\u0095N\u009aq¢e¾@ãÕÌ±\\u0000\\u0000\\u0006\\u0013\\u0002\\u0013\\u0003\\u0013\\u0001\\u0001\\u0000\\u0000$\\u0000\\u0000\\u0000\\u0011\\u0000\\u000f\\u0000\\u0000\\fwool.example\\u0000\\n\\u0000\\u0004\\u0000\\u0002\\u0000\\u001d\\u0000+\\u0000\\u0003\\u0002\\u0003\\u0004" "< \\u0016\\u0003\\u0001\\u0000Z\u008cr\u009d\\u0019\\u0007ÊÈ£íÞÍî.Ûúú\u007fß6\\u001a\u0091Çå­~Éö\u0081V³Ä\u0082\u009f~¥pa\\u0015\u00a0°A\u0087\\u0017\u0095\u0092tÃD$J=3\u0096\\\\>ê\\u0014Æ\\u0015i\u009dÈ# \u0081â\\u000f^d;×çýoªU°=\u0098\\r\u0088w\u009c±\\u001ad·\\u0014I@" "> \\u0017\\u0003\\u0001\\u0000\\u0014?sEJàGë9\u0083\\u0002\u0085ó\u0096\\u0004n\\u000fh\\u001c9\\u001f" "< \\u0017\\u0003\\u0001\\u0000\\u0014\u0083{ìßvJ&4×ÖC\\u001b\\u0012\\u001dì\u0081s°\\u0012Ó" "> \\u0015\\u0003\\u0003\\u0000\\u0002\\u0001\\u0000" "< \\u0015\\u0003\\u0003\\u0000\\u0002\\u0001\\u0000"',
  ),
  traffic(
    'the first message of TLS in pieces',
    [
      { c: CLIENT_HELLO.subarray(0, 3) },
      { c: CLIENT_HELLO.subarray(3, 60) },
      { c: CLIENT_HELLO.subarray(60) },
      { s: SERVER_HELLO },
    ],
    'TCP "> \\u0016\\u0003\\u0001\\u0000W\\u0001\\u0000\\u0000S\\u0003\\u0003=\u009bU[\u0098g\u008c¨ÕË2\\u0004ÿd\\f2\u0086\u0092­å\u0095N\u009aq¢e¾@ãÕÌ±\\u0000\\u0000\\u0006\\u0013\\u0002\\u0013\\u0003\\u0013\\u0001\\u0001\\u0000\\u0000$\\u0000\\u0000\\u0000\\u0011\\u0000\\u000f\\u0000\\u0000\\fwool.example\\u0000\\n\\u0000\\u0004\\u0000\\u0002\\u0000\\u001d\\u0000+\\u0000\\u0003\\u0002\\u0003\\u0004" "< \\u0016\\u0003\\u0001\\u0000Z\u008cr\u009d\\u0019\\u0007ÊÈ£íÞÍî.Ûúú\u007fß6\\u001a\u0091Çå­~Éö\u0081V³Ä\u0082\u009f~¥pa\\u0015\u00a0°A\u0087\\u0017\u0095\u0092tÃD$J=3\u0096\\\\>ê\\u0014Æ\\u0015i\u009dÈ# \u0081â\\u000f^d;×çýoªU°=\u0098\\r\u0088w\u009c±\\u001ad·\\u0014I@"',
  ),
  traffic(
    'TLS that the app refuses',
    [{ c: CLIENT_HELLO }, { s: Buffer.from('15030100020228', 'hex') }, 'app ends'],
    'TCP "> \\u0016\\u0003\\u0001\\u0000W\\u0001\\u0000\\u0000S\\u0003\\u0003=\u009bU[\u0098g\u008c¨ÕË2\\u0004ÿd\\f2\u0086\u0092­å\u0095N\u009aq¢e¾@ãÕÌ±\\u0000\\u0000\\u0006\\u0013\\u0002\\u0013\\u0003\\u0013\\u0001\\u0001\\u0000\\u0000$\\u0000\\u0000\\u0000\\u0011\\u0000\\u000f\\u0000\\u0000\\fwool.example\\u0000\\n\\u0000\\u0004\\u0000\\u0002\\u0000\\u001d\\u0000+\\u0000\\u0003\\u0002\\u0003\\u0004" "< \\u0015\\u0003\\u0001\\u0000\\u0002\\u0002("',
  ),
  traffic(
    'TLS that is answered in HTTP',
    [{ c: CLIENT_HELLO }, { s: answer('no', '400 Bad Request') }, 'app ends'],
    'TCP "> \\u0016\\u0003\\u0001\\u0000W\\u0001\\u0000\\u0000S\\u0003\\u0003=\u009bU[\u0098g\u008c¨ÕË2\\u0004ÿd\\f2\u0086\u0092­å\u0095N\u009aq¢e¾@ãÕÌ±\\u0000\\u0000\\u0006\\u0013\\u0002\\u0013\\u0003\\u0013\\u0001\\u0001\\u0000\\u0000$\\u0000\\u0000\\u0000\\u0011\\u0000\\u000f\\u0000\\u0000\\fwool.example\\u0000\\n\\u0000\\u0004\\u0000\\u0002\\u0000\\u001d\\u0000+\\u0000\\u0003\\u0002\\u0003\\u0004" "< HTTP/1.1 400 Bad Request\\r\\nContent-Length: 2\\r\\n\\r\\nno"',
  ),
  traffic('one byte of TLS', [{ c: '\x16' }, 'client ends'], 'TCP "> \\u0016"'),
];

const SPEAKERS: Case[] = [
  traffic(
    'SMTP',
    [
      { s: '220 mail ESMTP\r\n' },
      { c: 'EHLO wool\r\n' },
      { s: '250-mail\r\n250 PIPELINING\r\n' },
      { c: 'QUIT\r\n' },
      { s: '221 bye\r\n' },
      'app ends',
    ],
    'TCP "< 220 mail ESMTP\\r\\n" "> EHLO wool\\r\\n" "< 250-mail\\r\\n250 PIPELINING\\r\\n" "> QUIT\\r\\n" "< 221 bye\\r\\n"',
  ),
  unshown('SSH, both of which greet at once', [
    { c: 'SSH-2.0-knit\r\n', s: 'SSH-2.0-purl\r\n' },
    { c: '\0\0\0\x0c\x0a\x14' },
  ]),
  traffic(
    'MySQL',
    [
      { s: 'J\0\0\0\x0a8.0.36\0\x08\0\0\0' },
      { c: '\x20\0\0\x01\x85\xa6\xff\x01' },
      { s: '\x07\0\0\x02\0\0\0\x02\0\0\0' },
    ],
    'TCP "< J\\u0000\\u0000\\u0000\\n8.0.36\\u0000\\b\\u0000\\u0000\\u0000" ">  \\u0000\\u0000\\u0001\u0085¦ÿ\\u0001" "< \\u0007\\u0000\\u0000\\u0002\\u0000\\u0000\\u0000\\u0002\\u0000\\u0000\\u0000"',
  ),
  traffic(
    'PostgreSQL',
    [
      { c: '\0\0\0\x08\x04\xd2\x16/' },
      { s: 'N' },
      { c: '\0\0\0\x13\0\x03\0\0user\0wool\0\0' },
      { s: 'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I' },
    ],
    'TCP "> \\u0000\\u0000\\u0000\\b\\u0004Ò\\u0016/" "< N" "> \\u0000\\u0000\\u0000\\u0013\\u0000\\u0003\\u0000\\u0000user\\u0000wool\\u0000\\u0000" "< R\\u0000\\u0000\\u0000\\b\\u0000\\u0000\\u0000\\u0000Z\\u0000\\u0000\\u0000\\u0005I"',
  ),
  traffic(
    'Redis',
    [{ c: '*2\r\n$3\r\nGET\r\n$4\r\nwool\r\n' }, { s: '$4\r\nblue\r\n' }],
    'TCP "> *2\\r\\n$3\\r\\nGET\\r\\n$4\\r\\nwool\\r\\n" "< $4\\r\\nblue\\r\\n"',
  ),
  traffic(
    'Redis in lines',
    [{ c: 'GET wool\r\n' }, { s: '$4\r\nblue\r\n' }],
    'TCP "> GET wool\\r\\n" "< $4\\r\\nblue\\r\\n"',
  ),
  traffic(
    'memcached',
    [{ c: 'get wool\r\n' }, { s: 'VALUE wool 0 4\r\nblue\r\nEND\r\n' }],
    'TCP "> get wool\\r\\n" "< VALUE wool 0 4\\r\\nblue\\r\\nEND\\r\\n"',
  ),
  traffic(
    'MQTT',
    [{ c: '\x10\x0c\0\x04MQTT\x04\x02\0<\0\0' }, { s: '\x20\x02\0\0' }, { c: '\xc0\0' }, { s: '\xd0\0' }],
    'TCP "> \\u0010\\f\\u0000\\u0004MQTT\\u0004\\u0002\\u0000<\\u0000\\u0000" "<  \\u0002\\u0000\\u0000" "> À\\u0000" "< Ð\\u0000"',
  ),
  traffic(
    'AMQP',
    [{ c: 'AMQP\0\0\x09\x01' }, { s: '\x01\0\0\0\0\0\x04hi\xce' }],
    'TCP "> AMQP\\u0000\\u0000\\t\\u0001" "< \\u0001\\u0000\\u0000\\u0000\\u0000\\u0000\\u0004hiÎ"',
  ),
  traffic(
    'DNS over TCP',
    [
      { c: '\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04wool\x07example\0\0\x01\0\x01' },
      { s: '\0\x0c\x12\x34\x81\x83\0\0\0\0\0\0\0\0' },
    ],
    'TCP "> \\u0000\\u001d\\u00124\\u0001\\u0000\\u0000\\u0001\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0004wool\\u0007example\\u0000\\u0000\\u0001\\u0000\\u0001" "< \\u0000\\f\\u00124\u0081\u0083\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000"',
  ),
  traffic(
    'RTSP',
    [{ c: 'OPTIONS rtsp://wool/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n' }, { s: 'RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n' }],
    'TCP "> OPTIONS rtsp://wool/1 RTSP/1.0\\r\\nCSeq: 1\\r\\n\\r\\n" "< RTSP/1.0 200 OK\\r\\nCSeq: 1\\r\\n\\r\\n"',
  ),
  traffic(
    'the second version of the PROXY protocol before HTTP',
    [
      { c: `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\x12\x34\0\x50${ask('/')}` },
      { s: answer('ok') },
    ],
    'TCP "> \\r\\n\\r\\n\\u0000\\r\\nQUIT\\n!\\u0011\\u0000\\f\u007f\\u0000\\u0000\\u0001\u007f\\u0000\\u0000\\u0001\\u00124\\u0000PGET / HTTP/1.1\\r\\nHost: wool.example\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"',
  ),
  traffic(
    'a client that sends a response',
    [{ c: answer('what?') }, { s: 'what?\n' }],
    'TCP "> HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nwhat?" "< what?\\n"',
  ),
  traffic(
    'an app that sends a request',
    [{ s: ask('/you') }, { c: answer('me') }],
    'TCP "< GET /you HTTP/1.1\\r\\nHost: wool.example\\r\\n\\r\\n" "> HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nme"',
  ),
];

const BYTES: Case[] = [
  traffic(
    'bytes that mean nothing, both ways',
    [{ c: noise('c', 1000) }, { s: noise('s', 1000) }],
    'TCP "> (1000 bytes, 94a41a49)" "< (1000 bytes, 34da3d2e)"',
  ),
  traffic(
    'every byte there is',
    [
      { c: Buffer.from(Array.from({ length: 256 }, (_, n) => n)) },
      { s: Buffer.from(Array.from({ length: 256 }, (_, n) => 255 - n)) },
    ],
    'TCP "> (256 bytes, 40aff2e9)" "< (256 bytes, cd6816b7)"',
  ),
  traffic('a NUL', [{ c: '\0' }, { s: '\0' }], 'TCP "> \\u0000" "< \\u0000"'),
  traffic(
    'a client that sends bytes one at a time',
    [...trickle('c', 'knit one, purl two'), { s: 'ok\n' }],
    'TCP "> knit one, purl two" "< ok\\n"',
  ),
  traffic(
    'an app that sends bytes one at a time',
    [{ c: 'count\n' }, ...trickle('s', 'one two three')],
    'TCP "> count\\n" "< one two three"',
  ),
  traffic(
    'an app that speaks first after a while',
    [{ silence: 700 }, { s: 'hello\n' }, { c: 'hi\n' }],
    'TCP "< hello\\n" "> hi\\n"',
  ),
  traffic(
    'an app that speaks first and ends',
    [{ s: 'the time is 12:00\n' }, 'app ends'],
    'TCP "< the time is 12:00\\n"',
  ),
  traffic(
    'an app that speaks first and resets',
    [{ s: 'go away\n' }, 'app resets'],
    'TCP "< go away\\n" ! server closed connection',
  ),
  traffic(
    'a client that ends its half and then gets all',
    [{ c: 'all\n' }, 'client ends', { s: noise('all', 300_000) }, 'app ends'],
    'TCP "> all\\n" "< (300000 bytes, 73fffbd2)"',
  ),
  traffic(
    'an app that ends its half and then gets all',
    [{ c: 'take\n' }, 'app ends', { c: noise('take', 300_000) }, 'client ends'],
    'TCP "> (300005 bytes, 032cc39f)"',
  ),
  unshown('4 MB both ways at once', [{ c: noise('c4', 4 * MIB), s: noise('s4', 4 * MIB) }]),
  traffic(
    'an app that resets with much on its way',
    [{ c: 'go\n' }, { s: noise('much', MIB) }, 'app resets'],
    'TCP "> go\\n" "< (1048576 bytes, 22ad44f4)" ! server closed connection',
  ),
  traffic(
    'a client that resets with much on its way',
    [{ c: noise('much', MIB) }, 'client resets'],
    'TCP "> (1048576 bytes, 22ad44f4)" ! Client disconnected.',
  ),
  unshown('both talk at once', [
    { c: 'a1\n', s: 'b1\n' },
    { c: 'a2\n', s: 'b2\n' },
  ]),
  traffic(
    'a word that could become HTTP',
    [{ c: 'GET' }, { s: 'what?\n' }, { c: ' out\n' }],
    'TCP "> GET out\\n" "< what?\\n"',
  ),
];

export const TCP: Case[] = [...TLS, ...SPEAKERS, ...BYTES];
