// ask.ts HOST CONTROL LIMIT_MS HOST:PORT,…: plays all cases with the app of a control port by these addresses, and prints a
// Conversation for each, a line of JSON.
import { CASES } from './cases.ts';
import { play } from './client.ts';

const [host = '', control, limitMs, addresses = ''] = process.argv.slice(2);
const at = addresses.split(',').map((address) => {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
});
const playing = {
  control: { host, port: Number(control) },
  addresses: at,
  limitMs: Number(limitMs),
};
const conversations = await play(CASES, playing);
for (const conversation of conversations) console.log(JSON.stringify(conversation));
