import { resources } from '../kinds/index.ts';
import type { Resource } from '../objects/resource.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The Kubernetes version that `kubectl version` shows. */
const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+pocket',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-04-23T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};

/** The discovery document at a path; undefined for any other path. */
export function discover(path: string): object | undefined {
  if (path === '/version') return VERSION;
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups().map(toGroup) };
  if (path === '/openapi/v3') return openApiIndex();
  const openApi = /^\/openapi\/v3\/(?:api|apis\/([^/]+))\/(v\d)$/.exec(path);
  if (openApi && isVersion(openApi[1], openApi[2])) return makeOpenApi(openApi[1] ?? '');
  const list = /^\/(?:api|apis\/([^/]+))\/(v\d)$/.exec(path);
  if (list && isVersion(list[1], list[2])) return resourceList(list[1] ?? '');
  const group = /^\/apis\/([^/]+)$/.exec(path);
  return group && isGroup(group[1] ?? '')
    ? { kind: 'APIGroup', apiVersion: 'v1', ...toGroup(group[1] ?? '') }
    : undefined;
}

const AUTHORIZATION = 'authorization.k8s.io';

function groups(): string[] {
  return [...new Set(resources.map(({ group }) => group)), AUTHORIZATION].filter(Boolean);
}

function isGroup(name: string): boolean {
  return name === '' || groups().includes(name);
}

function isVersion(group = '', version = ''): boolean {
  return isGroup(group) && version === findVersion(group);
}

/** The one version of a group: v1, unless a kind of the group has another. */
function findVersion(group: string): string {
  return resources.find((resource) => resource.group === group)?.version ?? 'v1';
}

function toGroup(name: string): object {
  const own = findVersion(name);
  const version = { groupVersion: `${name}/${own}`, version: own };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(group: string): object {
  const entries =
    group === AUTHORIZATION
      ? ['SelfSubjectAccessReview', 'SelfSubjectRulesReview', 'SubjectAccessReview'].map((kind) => ({
          name: `${kind.toLowerCase()}s`,
          singularName: kind.toLowerCase(),
          namespaced: false,
          kind,
          verbs: ['create'],
        }))
      : resources.filter((resource) => resource.group === group).flatMap(listEntries);
  const version = findVersion(group);
  const groupVersion = group ? `${group}/${version}` : version;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: entries };
}

/** Subresources that are objects of another kind. */
const FOREIGN = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction' },
};

function listEntries(resource: Resource): object[] {
  const { plural, kind, namespaced, shortNames, inAll } = resource;
  const own = {
    ...{ name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: VERBS, shortNames },
    ...(inAll && { categories: ['all'] }),
  };
  const more = resource.subresources.map((name) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(FOREIGN[name as 'scale'] ?? { kind }),
    verbs: name === 'eviction' ? ['create'] : ['get', 'patch', 'update'],
  }));
  const ofPods = ['log', 'exec', 'attach', 'portforward'].map((name) => ({
    name: `pods/${name}`,
    singularName: '',
    namespaced,
    kind:
      name === 'log'
        ? 'Pod'
        : `Pod${name[0]?.toUpperCase()}${name.slice(1)}Options`.replace('forward', 'Forward'),
    verbs: name === 'log' ? ['get'] : ['create', 'get'],
  }));
  return [own, ...more, ...(plural === 'pods' ? ofPods : [])];
}

// -- OpenAPI: kubectl reads from it that the server validates fields and does dry runs

function openApiIndex(): object {
  const paths = ['', ...groups()].map((group) => `${group ? `apis/${group}` : 'api'}/${findVersion(group)}`);
  return {
    paths: Object.fromEntries(paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }])),
  };
}

function makeOpenApi(group: string): object {
  const prefix = `${group ? `/apis/${group}` : '/api'}/${findVersion(group)}`;
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }));
  const paths = resources
    .filter((resource) => resource.group === group)
    .map(({ plural, kind, version, namespaced }) => [
      `${prefix}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
      { patch: { parameters, 'x-kubernetes-group-version-kind': { group, version, kind } } },
    ]);
  const info = { title: 'Kubernetes', version: VERSION.gitVersion };
  return { openapi: '3.0.0', info, paths: Object.fromEntries(paths), components: { schemas: {} } };
}
