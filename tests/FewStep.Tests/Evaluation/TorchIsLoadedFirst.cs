using System.Runtime.CompilerServices;
using FewStep.Runtime;

namespace FewStep.Tests.Evaluation;

internal static class TorchIsLoadedFirst
{
    // A test may touch TorchSharp before any type of FewStep, whose module initialiser loads libtorch.
    [ModuleInitializer]
    internal static void Load() => RuntimeHelpers.RunModuleConstructor(typeof(TorchLibrary).Module.ModuleHandle);
}
