// What training with jax-js takes, bundled for the page where somebody has installed it (scripts/peers.mjs looks):
// no dependency, so nothing here is type-checked. peers/jaxTraining.ts says what is used.

export {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy,
  valueAndGrad,
} from "@jax-js/jax";
