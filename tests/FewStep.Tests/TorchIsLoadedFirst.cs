using System.Runtime.CompilerServices;

namespace FewStep.Tests;

internal static class TorchIsLoadedFirst
{
    // A test may touch TorchSharp before any FewStep type; then nobody would have loaded the natives.
#pragma warning disable CA2255 // the test program is the application
    [ModuleInitializer]
    internal static void Load() => RuntimeHelpers.RunModuleConstructor(typeof(TorchLibrary).Module.ModuleHandle);
#pragma warning restore CA2255
}
