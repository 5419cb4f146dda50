import type { IncomingHttpHeaders } from 'node:http';
import { storageRefusal } from './refusal.ts';

const LIST = /^\s*(?:<\?xml[^>]*\?>)?\s*<BlockList>((?:\s*<Latest>[\w+/=]+<\/Latest>)*)\s*<\/BlockList>\s*$/;

/**
 * A block blob of Azure's storage: blocks are put one by one, and a list of them makes them the blob. Only these two
 * requests are known, by which the artifact client uploads whatever the size.
 */
export class BlockBlob {
  /** What the last list made of the blocks; undefined before the first. */
  content: Buffer | undefined;
  readonly #blocks = new Map<string, Buffer>();

  /** @throws Refusal when the storage would not take it. */
  put(query: URLSearchParams, headers: IncomingHttpHeaders, body: Buffer): void {
    if (headers['content-length'] === undefined)
      throw storageRefusal(411, 'MissingContentLengthHeader', 'Content-Length header was not specified');
    const comp = query.get('comp');
    if (comp === 'block') this.#putBlock(query.get('blockid') ?? '', body);
    else if (comp === 'blocklist') this.#putList(String(body));
    else throw storageRefusal(400, 'InvalidQueryParameterValue', 'comp is neither block nor blocklist');
  }

  /** https://learn.microsoft.com/rest/api/storageservices/put-block */
  #putBlock(id: string, body: Buffer): void {
    const bytes = Buffer.from(id, 'base64');
    if (bytes.length === 0 || bytes.length > 64 || bytes.toString('base64') !== id)
      throw storageRefusal(400, 'InvalidQueryParameterValue', 'blockid is not base64 of 1 to 64 bytes');
    const [other = id] = this.#blocks.keys();
    if (other.length !== id.length)
      throw storageRefusal(400, 'InvalidBlobOrBlock', 'the ids of blocks differ in length');
    if (body.length === 0) throw storageRefusal(400, 'InvalidHeaderValue', 'a block is empty');
    this.#blocks.set(id, body);
  }

  /** https://learn.microsoft.com/rest/api/storageservices/put-block-list */
  #putList(xml: string): void {
    const [, list] = LIST.exec(xml) ?? [];
    if (list === undefined)
      throw storageRefusal(400, 'InvalidXmlDocument', 'the body is not a list of blocks');
    const blocks = [...list.matchAll(/<Latest>(.+?)<\/Latest>/g)].map(([, id = '']) => {
      const block = this.#blocks.get(id);
      if (!block) throw storageRefusal(400, 'InvalidBlockList', 'the list names a block that is not there');
      return block;
    });
    this.content = Buffer.concat(blocks);
    this.#blocks.clear();
  }
}
