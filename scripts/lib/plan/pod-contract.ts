import contract from '../../../templates/addon/contract.json' with { type: 'json' };

/**
 * What TypeScript shares with the code in the pods: paths there, variables of the proxy's container, options of
 * mitmproxy's command line, the signal that ends a tap, the title of the terminal. templates/addon/contract.py reads
 * the same file.
 */
export const { paths, variables, options, signals, titles } = contract;
