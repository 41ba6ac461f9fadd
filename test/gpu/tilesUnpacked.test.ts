// Shared tiles whose int8 products are unpacked and multiplied in float.

import { testTiles } from "../support/tileTests.ts";

testTiles(false);
