// How the tests' callers connect, which travels beside them in their ConfigMaps.
import { Agent } from 'node:http';
import { connect } from 'node:net';

/** How long a node may take to answer the first packet of a connection, in ms, and how often it may fail to. */
const CONNECT_MS = 2000;
const TRIES = 3;

/**
 * Connects again where a node does not answer: of any Service, tapped or not, a node that rewrites its rules can lose
 * a connection before it is one. What is refused is refused, and no request is sent twice.
 */
export class PatientAgent extends Agent {
  createConnection(options, done) {
    connectPatiently(options, TRIES, done);
  }
}

function connectPatiently(options, tries, done) {
  const socket = connect(options);
  const timer = setTimeout(() => {
    socket.destroy();
    if (tries > 1) connectPatiently(options, tries - 1, done);
    else done(new Error('no connection'));
  }, CONNECT_MS);
  const settle = (error) => {
    clearTimeout(timer);
    socket.off('error', settle);
    if (error) done(error);
    else done(null, socket);
  };
  socket.once('error', settle);
  socket.once('connect', () => settle());
}
