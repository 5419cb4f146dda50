import { parseBoundary, parseMediaType } from '../flow/content-type.ts';
import type { LooseObject } from './loose-object.ts';

/** The boundary of a multipart body if its content type has none. */
const BOUNDARY = 'boundary-of-a-har-form';

/** The body of a form that HAR describes by its `params` only. */
export interface FormBody {
  text: string;
  contentType: string;
}

/** Builds the body of a form from its `params`. @param contentType of the request; may be empty. */
export function buildForm(params: LooseObject[], contentType: string): FormBody {
  if (!parseMediaType(contentType).startsWith('multipart/')) {
    const pairs = params.map((param): [string, string] => [
      param.text('name') ?? '',
      param.text('value') ?? '',
    ]);
    return {
      text: new URLSearchParams(pairs).toString(),
      contentType: contentType || 'application/x-www-form-urlencoded',
    };
  }
  const boundary = parseBoundary(contentType);
  const parts = params.map((param) => `--${boundary ?? BOUNDARY}\r\n${formatPart(param)}\r\n`);
  return {
    text: `${parts.join('')}--${boundary ?? BOUNDARY}--\r\n`,
    contentType: boundary === undefined ? `${contentType}; boundary=${BOUNDARY}` : contentType,
  };
}

/** https://www.rfc-editor.org/rfc/rfc7578#section-4. HAR does not have the content of a file. */
function formatPart(param: LooseObject): string {
  const [fileName, type] = [param.text('fileName'), param.text('contentType')];
  const file = fileName === undefined ? '' : `; filename="${escapeName(fileName)}"`;
  const head = `Content-Disposition: form-data; name="${escapeName(param.text('name') ?? '')}"${file}`;
  const headers = type === undefined ? head : `${head}\r\nContent-Type: ${type.replace(/[\r\n]/g, ' ')}`;
  return `${headers}\r\n\r\n${param.text('value') ?? ''}`;
}

/** https://html.spec.whatwg.org/#escape-a-multipart-form-data-name */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
