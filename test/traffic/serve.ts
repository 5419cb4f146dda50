// serve.ts PORT,… CONTROL: the app in a pod.
import { App } from './app.ts';

const [ports = '', control] = process.argv.slice(2);
await new App().listen(ports.split(',').map(Number), Number(control));
console.log('ready');
