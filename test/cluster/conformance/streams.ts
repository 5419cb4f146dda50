import { readFileSync, writeFileSync } from 'node:fs';
import { container, pod, service, web } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

/** Scenarios: logs, exec, attach, cp, port-forward. */
export const streams: Scenario[] = [
  scenario('logs', async (t) => {
    const count = container('for i in 1 2 3 4 5; do echo line $i; done; sleep 0.3; echo wrong >&2; sleep 1d');
    await t.make(
      pod('p', [count]),
      pod('two', [
        container('echo from app; sleep 1d'),
        container('echo from side; sleep 1d', { name: 'side' }),
      ]),
    );
    await t.see('logs p', { until: /wrong/ });
    await t.see('logs p --tail=2');
    await t.see('logs p --tail=0');
    await t.see('logs p --since=1h --tail=1');
    await t.see('logs p --limit-bytes=6');
    await t.see('logs p --timestamps --tail=1');
    await t.see('logs p -f', { stop: /wrong/ });
    await t.see('logs p -f --tail=1', { stop: /wrong/ });
    await t.see('logs p -c none');
    await t.see('logs p -p');
    await t.see('logs none');
    await t.see('logs two', { until: /from app/ });
    await t.see('logs two -c side', { until: /from side/ });
    await t.see('logs two --all-containers', { sorted: true });
    await t.see('logs two --all-containers --prefix', { sorted: true });
    await t.see('logs -l app=p --tail=1');
    await t.see('logs -l app=none');
    await t.make(pod('short', [container('echo a; sleep 1; echo b')], { restartPolicy: 'Never' }));
    await t.until('get pod short', /Running|Completed/);
    await t.see('logs short -f');
    await t.make(pod('stuck', undefined, { nodeSelector: { no: 'where' } }));
    await t.see('logs stuck');
  }),

  scenario('exec and attach', async (t) => {
    await t.make(
      pod('p'),
      pod('two', [container(), container('sleep 1d', { name: 'side' })]),
      pod('talk', [container('while read line; do echo "heard $line"; done; sleep 1d', { stdin: true })]),
      pod('screen', [
        container('while read line; do echo "heard $line"; stty size; done', { stdin: true, tty: true }),
      ]),
    );
    await t.until('get pod p', /1\/1/);
    await t.see('exec p -- echo hello');
    await t.see(`exec p -- sh -c 'echo out; echo err >&2; exit 3'`);
    await t.see(`exec p -- sh -c 'kill -9 $$'`);
    await t.see('exec -i p -- cat', { input: 'some\nlines\n' });
    await t.see('exec p -- cat', { input: 'not passed' });
    await t.see(`exec p -- sh -c 'head -c 300000 /dev/zero | wc -c'`);
    await t.see(`exec p -- sh -c 'head -c 300000 /dev/zero | tr "\\0" x'`, {
      loosely: (seen) => String(seen.length),
    });
    await t.see(`exec p -- sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'`);
    await t.see(`exec p -- sh -c 'sleep 3 >/dev/null 2>&1 & echo left behind'`);
    // containerd's part of the message differs in every version.
    await t.see('exec p -- no-such-program', {
      loosely: (seen) => seen.replace(/(failed to exec).*process: /, '$1 … '),
    });
    await t.see('exec p -c none -- true');
    await t.see('exec none -- true');
    await t.see('exec p');
    await t.until('get pod two', /2\/2/);
    await t.see('exec two -- echo default');
    await t.see('exec two -c side -- echo side');
    await t.see('exec deploy/none -- true');
    await t.see(
      `exec p -- sh -c 'exec </dev/null; cat /proc/1/comm; ls /proc | grep -c "^[0-9]*$" | head -c 1 | tr 0-9 n'`,
    );
    await t.terminal('exec -it p -- sh', [
      { keys: ['PS1="> "; clear', 'Enter'], shows: /^>/m },
      { keys: ['stty size; test -t 0 && echo tty', 'Enter'], shows: /tty\n/ },
      { keys: ['exit 5', 'Enter'], shows: /exit code 5/ },
    ]);
    await t.until('get pod talk', /1\/1/);
    // kubectl may or may not see the answer; the log has it.
    await t.see('attach talk -i', { input: 'one\n', stop: 2000, loosely: () => 'attached' });
    await t.see('logs talk', { until: /heard one/ });
    await t.until('get pod screen', /1\/1/);
    await t.terminal(
      'attach -it screen',
      [{ keys: ['hello', 'Enter'], shows: /heard hello\s+\d+ \d+/ }],
      /heard/,
    );
    await t.see('attach p -c none');
    await t.see('attach none');
    await t.see('exec talk -- tty', { loosely: (seen) => seen.trim() });
  }),

  scenario('cp', async (t) => {
    await t.make(pod('p'));
    await t.until('get pod p', /1\/1/);
    writeFileSync(`${t.directory}/up.txt`, 'up\n'.repeat(50_000));
    await t.see('cp $DIR/up.txt p:/tmp/up.txt');
    await t.see(`exec p -- sh -c 'wc -c < /tmp/up.txt'`);
    await t.see('cp p:/tmp/up.txt $DIR/down.txt');
    t.note(
      'what came back',
      String(readFileSync(`${t.directory}/down.txt`).equals(readFileSync(`${t.directory}/up.txt`))),
    );
    await t.see('cp p:/tmp/none.txt $DIR/none.txt', { loosely: (seen) => seen.split('\n')[0] ?? '' });
    await t.see('cp $DIR/none.txt p:/tmp/x');
    await t.see('cp $DIR/up.txt p:/tmp/x -c none');
  }),

  scenario('port-forward', async (t) => {
    await t.make(
      pod('p', [web('answer')]),
      service('p'),
      pod('stuck', undefined, { nodeSelector: { no: 'where' } }),
    );
    await t.until('get pod p', /1\/1/);
    const ask = (what: string) => async (stdout: string) => {
      const url = `http://127.0.0.1:${/127.0.0.1:(\d+)/.exec(stdout)?.[1]}/`;
      const answers = [];
      for (let count = 0; count < 3; count++)
        answers.push(
          await fetch(url).then(
            (answer) => answer.text(),
            () => 'refused',
          ),
        );
      t.note(`requests through ${what}`, answers.join(' '));
    };
    await t.meanwhile('port-forward pod/p :8080', /Forwarding/, ask('the pod'));
    await t.meanwhile('port-forward service/p :80', /Forwarding/, ask('the Service'));
    await t.meanwhile('port-forward pod/p :http', /Forwarding/, ask('a named port'));
    await t.see('port-forward pod/p :none');
    await t.see('port-forward service/p :99');
    await t.see('port-forward pod/stuck :80');
    await t.see('port-forward pod/none :80');
  }),
];
