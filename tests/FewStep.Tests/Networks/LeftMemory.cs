namespace FewStep.Tests.Networks;

/// <summary>The memory that tensors leave to those that come next, which libtorch's kernels should not read.</summary>
internal static class LeftMemory
{
    public static void FillWithNotANumbers()
    {
        using var scope = NewDisposeScope();
        for (int size = 16; size < 1 << 16; size *= 2)
        {
            for (int i = 0; i < 3; i++)
                full([size], float.NaN);
        }
    }
}
