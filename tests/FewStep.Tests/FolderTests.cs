namespace FewStep.Tests;

/// <summary>Tests with files: each has a folder of its own.</summary>
public abstract class FolderTests : IDisposable
{
    private protected readonly TemporaryFolder _folder = new();

    public virtual void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
