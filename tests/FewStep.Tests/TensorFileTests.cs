using TorchSharp;

namespace FewStep.Tests;

/// <summary>Tests with files and tensors: what a test makes of them goes when it is over.</summary>
public abstract class TensorFileTests : FolderTests
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public override void Dispose()
    {
        // A tensor may lie in a file that is mapped.
        _scope.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }
}
