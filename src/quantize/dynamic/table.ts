// The kinds of layers that quantizeDynamic knows. A new kind, or a new dtype of one, is a row here.

import type { Handler } from "./handler.ts";
import { linear } from "./linear.ts";
import { gru, lstm } from "./recurrent.ts";
import { embedding } from "./stored.ts";

export const handlers: readonly Handler[] = [linear, lstm, gru, embedding];
