// ask.ts: plays cases as stdin says, a Playing with their titles, and prints a Conversation for each, a line of JSON.
import { text } from 'node:stream/consumers';
import { CASES } from './cases.ts';
import { type Playing, play } from './client.ts';

const { titles, ...playing } = JSON.parse(await text(process.stdin)) as Playing & { titles: string[] };
const cases = CASES.filter(({ title }) => titles.includes(title));
for (const conversation of await play(cases, playing)) console.log(JSON.stringify(conversation));
