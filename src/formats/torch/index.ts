// What PyTorch saves: state dicts and TorchScript archives.

export { isTorch, openScript, type ScriptArchive } from "./container.ts";
export { importScript, type ScriptOptions } from "./script/importScript.ts";
export { readStateDict, withoutPrefix, type StateDict, type StateEntry } from "./stateDict.ts";
