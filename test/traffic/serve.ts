// serve.ts PORT,… CONTROL: the app in a pod.
import { App } from './app.ts';

// Process 1 ends by no signal that it does not handle.
process.on('SIGTERM', () => process.exit());
const [ports = '', control] = process.argv.slice(2);
await new App().listen(ports.split(',').map(Number), Number(control));
console.log('ready');
