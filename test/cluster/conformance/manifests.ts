/** The objects of scenarios. $IMAGE becomes the cluster's image. */

/** A container that runs a shell script; by default one that waits, and ends at once on SIGTERM. */
export function container(script = 'trap "exit 0" TERM; sleep 1d & wait', more: object = {}): object {
  return {
    name: 'app',
    image: '$IMAGE',
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', script],
    ...more,
  };
}

/** A container that answers every request with a word. */
export function web(word: string, more: { port?: number } & Record<string, unknown> = {}): object {
  const { port = 8080, ...rest } = more;
  const code = `require("http").createServer((q, s) => s.end("${word}")).listen(${port}); process.on("SIGTERM", () => process.exit())`;
  return container('', {
    command: ['node', '-e', code],
    ports: [{ name: 'http', containerPort: port }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    ...rest,
  });
}

export function podSpec(containers: object[], more: object = {}): object {
  return { terminationGracePeriodSeconds: 2, containers, ...more };
}

export function pod(name: string, containers: object[] = [container()], more: object = {}): object {
  return object('v1', 'Pod', name, { labels: { app: name } }, { spec: podSpec(containers, more) });
}

/** A workload whose pods have the label app. */
export function workload(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet',
  name: string,
  containers: object[] = [container()],
  spec: object = {},
  more: object = {},
): object {
  return object(
    'apps/v1',
    kind,
    name,
    {},
    {
      spec: {
        ...(kind === 'StatefulSet' && { serviceName: name }),
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: podSpec(containers, more) },
        ...spec,
      },
    },
  );
}

export function service(name: string, spec: object = {}): object {
  const ports = [{ port: 80, targetPort: 'http' }];
  return object('v1', 'Service', name, {}, { spec: { selector: { app: name }, ports, ...spec } });
}

export function configMap(name: string, data: Record<string, string>): object {
  return object('v1', 'ConfigMap', name, {}, { data });
}

export function object(
  apiVersion: string,
  kind: string,
  name: string,
  metadata: object,
  rest: object,
): object {
  return { apiVersion, kind, metadata: { name, ...metadata }, ...rest };
}
