using System.Runtime.CompilerServices;

namespace FewStep.Tests;

internal static class TorchIsLoadedFirst
{
    // A test may touch TorchSharp before any FewStep type; then nobody would have loaded the natives. One thread is made the usual number:
    // a second costs the tests' tiny networks more than it brings, and tests of several ask for them.
#pragma warning disable CA2255 // the test program is the application
    [ModuleInitializer]
    internal static void Load()
    {
        RuntimeHelpers.RunModuleConstructor(typeof(TorchLibrary).Module.ModuleHandle);
        if (TorchLibrary.Failure is null)
            set_num_threads(1);
    }
#pragma warning restore CA2255
}
