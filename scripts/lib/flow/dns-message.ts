import { Fields } from './fields.ts';

export interface DnsMessage {
  id: number;
  opCode: number;
  responseCode: number;
  questions: DnsQuestion[];
  answers: DnsAnswer[];
  /** Seconds since 1970. */
  timestamp: number;
}

interface DnsQuestion {
  name: string;
  type: number;
  class: number;
}

interface DnsAnswer extends DnsQuestion {
  ttl: number;
  data: Buffer;
}

/** Reads a request or response of a DNS flow's state. */
export function toDnsMessage(message: Fields): DnsMessage {
  return {
    id: message.number('id'),
    opCode: message.number('op_code'),
    responseCode: message.number('response_code'),
    questions: message.list('questions').map((item) => toQuestion(new Fields(item, 'question'))),
    answers: message.list('answers').map((item) => toAnswer(new Fields(item, 'answer'))),
    timestamp: message.number('timestamp'),
  };
}

function toQuestion(record: Fields): DnsQuestion {
  return { name: record.text('name'), type: record.number('type'), class: record.number('class_') };
}

function toAnswer(record: Fields): DnsAnswer {
  return { ...toQuestion(record), ttl: record.number('ttl'), data: record.bytes('data') };
}
