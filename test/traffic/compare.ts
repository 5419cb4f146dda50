import type { Conversation } from './client.ts';
import type { Got } from './side.ts';

/** How much of what differs is shown. */
const SHOWN = 120;

/** Where a conversation differs from the same without a tap, a line each. */
export function differences(direct: Conversation, tapped: Conversation): string[] {
  return [
    ...(direct.stuck === tapped.stuck ? [] : [`got no further than move ${tapped.stuck}`]),
    ...differs('the client', direct.client, tapped.client),
    ...(direct.app.length === tapped.app.length ? [] : [`${tapped.app.length} connections reached the app`]),
    ...direct.app.flatMap((got, index) => differs('the app', got, tapped.app[index])),
  ];
}

function differs(who: string, direct: Got, tapped: Got | undefined): string[] {
  if (!tapped) return [];
  const said = tapped.end === direct.end ? [] : [`${who} was told ${tapped.end} instead of ${direct.end}`];
  if (tapped.sha256 !== direct.sha256)
    said.push(`${who} got ${shown(tapped, direct)} instead of ${shown(direct, tapped)}`);
  return said;
}

/** What was got, from shortly before where it differs. */
function shown({ text, bytes }: Got, other: Got): string {
  const at = Array.from(text).findIndex((byte, index) => byte !== other.text[index]);
  const from = Math.max((at < 0 ? text.length : at) - 20, 0);
  return `${JSON.stringify(text.slice(from, from + SHOWN))} from byte ${from} of ${bytes}`;
}
