import { autoscalerController } from './autoscaler.ts';
import { budgetController } from './budget.ts';
import type { Controller } from './controller.ts';
import { daemonSetController } from './daemonset.ts';
import { deploymentController } from './deployment.ts';
import { endpointsController, serviceController } from './endpoints.ts';
import { garbageControllers } from './garbage.ts';
import { jobController } from './job.ts';
import { namespaceController } from './namespace.ts';
import { quotaController } from './quota.ts';
import { replicaSetController } from './replicaset.ts';
import { scheduler } from './scheduler.ts';
import { statefulSetController } from './statefulset.ts';

export const controllers: Controller[] = [
  namespaceController,
  deploymentController,
  replicaSetController,
  statefulSetController,
  daemonSetController,
  jobController,
  autoscalerController,
  scheduler,
  serviceController,
  endpointsController,
  quotaController,
  budgetController,
  ...garbageControllers,
];
