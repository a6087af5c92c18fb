using System.Runtime.InteropServices;

namespace FewStep.Tests.Platform;

public sealed class NativeHeapTests
{
    private const int Tensors = 64, Bytes = 4 << 20, PageSize = 4096, Rounds = 60, Quiet = 6;

    [Fact]
    public void Memory_that_tensors_leave_is_not_mapped_again_for_the_next()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out nint libc)
            && NativeLibrary.TryGetExport(libc, "mallopt", out _), "Only glibc's malloc is configured.");
        NativeHeap.KeepFreedMemory();

        // As malloc comes, the first round faults on all of its 65,536 pages, and every second or third of the later ones on a tenth of
        // them. Other threads may share this one's heap and take what a round has left, now and then.
        int found = OnThread.WithTensorThreads(1, () =>
        {
            int inSuccession = 0;
            for (int round = 0; round < Rounds && inSuccession < Quiet; round++)
                inSuccession = FaultsOfOneRound() < Tensors * Bytes / PageSize / 100 ? inSuccession + 1 : 0;
            return inSuccession;
        });
        Assert.Equal(Quiet, found);
    }

    private static long FaultsOfOneRound()
    {
        using var scope = NewDisposeScope();
        long before = PageFaults();
        for (int i = 0; i < Tensors; i++)
            zeros(Bytes / 4);
        return PageFaults() - before;
    }

    // The tenth field of all, the eighth after the parenthesised name: of this thread alone.
    private static long PageFaults()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[7], CultureInfo.InvariantCulture);
    }
}
