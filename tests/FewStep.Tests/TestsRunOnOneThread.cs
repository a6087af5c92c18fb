using System.Runtime.CompilerServices;

namespace FewStep.Tests;

/// <summary>Makes one processor thread the usual number: a second costs the tests' tiny networks more than it brings. Tests of several
/// threads ask for them.</summary>
internal static class TestsRunOnOneThread
{
    [ModuleInitializer]
    internal static void Initialize()
    {
        if (TorchLibrary.Failure is null) // asked first, which loads libtorch
            set_num_threads(1);
    }
}
