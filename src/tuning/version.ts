// The version of this library as its kernels know it: tables measured with another are not used. A test
// compares it with package.json, which browsers do not have.

export const libraryVersion = "0.1.0";
