/**
 * The clients of a site that also looks at network interfaces: the control worker's.
 * Rule: apart from client.ts, because loading this one costs a mover 55 MiB and most of a second, and it moves bytes only.
 */
import { NetworkManagementClient } from '@azure/arm-network';
import { type AzureAccess, type AzureClients, createAzureClients } from './client.ts';

export interface NetworkClients extends AzureClients {
  readonly network: NetworkManagementClient;
}

export function createNetworkClients(access: AzureAccess): NetworkClients {
  const { credential, subscriptionId, options } = access;
  return { ...createAzureClients(access), network: new NetworkManagementClient(credential, subscriptionId, options) };
}
