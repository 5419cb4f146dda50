import type { Service } from '../kube/objects.ts';

/** The tools that came before this one. Each puts its name before the names of everything that it makes. */
const LEGACY_TOOLS = ['mittens', 'kubetap'] as const;
export type LegacyTool = (typeof LEGACY_TOOLS)[number];

/** The older tool that tapped a Service. Its annotation holds the original port. */
export function findLegacyTool(service: Pick<Service, 'metadata'>): LegacyTool | undefined {
  return LEGACY_TOOLS.find((tool) => service.metadata.annotations?.[`${tool}.io/original-port`]);
}
