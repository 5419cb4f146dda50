/** Why a pod or a container cannot be set up yet: something that it refers to is missing. */
export class ConfigError extends Error {}
