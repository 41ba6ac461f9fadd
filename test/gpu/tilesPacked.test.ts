// Shared tiles whose int8 products are dot4I8Packed.

import { testTiles } from "../support/tileTests.ts";

testTiles(true);
