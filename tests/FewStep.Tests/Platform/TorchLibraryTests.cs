namespace FewStep.Tests.Platform;

public sealed class TorchLibraryTests
{
    private const string Version = "GLIBCXX_3.4.32";

    [Fact]
    public void Libtorch_is_loaded()
    {
        Assert.Null(TorchLibrary.Failure);
        Assert.Equal(3, TorchSharp.torch.ones(3).sum().item<float>());
    }

    [Fact]
    public void A_number_of_threads_that_is_asked_for_on_one_thread_reaches_the_others()
    {
        int before = TorchLibrary.ThreadsInUse();
        using var asked = new ManualResetEventSlim();
        using var known = new ManualResetEventSlim();
        var seen = new List<int>();
        var other = new Thread(() =>
        {
            seen.Add(TorchLibrary.ThreadsInUse()); // from here on libtorch has a number of its own for this thread
            known.Set();
            asked.Wait();
            seen.Add(TorchLibrary.ThreadsInUse());
            set_num_threads(3); // a caller's own choice after that is kept
            seen.Add(TorchLibrary.ThreadsInUse());
        });
        other.Start();
        known.Wait();
        TorchLibrary.UseThreads(before + 1);
        asked.Set();
        other.Join();
        TorchLibrary.UseThreads(before);
        Assert.Equal([before, before + 1, 3], seen);
        Assert.Equal(before + 2, OnThread.WithTensorThreads(before + 2, TorchLibrary.ThreadsInUse));
        Assert.Equal(before, TorchLibrary.ThreadsInUse());
    }

    [Fact]
    public void The_unused_version_requirement_is_weakened_in_a_copy_by_one_bit()
    {
        string? shim = OperatingSystem.IsLinux() ? Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so") : null;
        if (shim is null)
        {
            return; // only Linux has the file
        }

        byte[] shipped = File.ReadAllBytes(shim);
        byte[] copy = [.. shipped];
        Assert.Equal(1, ElfVersionRequirements.Weaken(copy, Version));
        int[] changed = [.. Enumerable.Range(0, copy.Length).Where(i => copy[i] != shipped[i])];
        int at = Assert.Single(changed);
        Assert.Equal(2, shipped[at] ^ copy[at]); // VER_FLG_WEAK
        Assert.Equal(0, ElfVersionRequirements.Weaken(copy, Version));
    }

    [Fact]
    public void The_relaxed_copy_is_private_complete_and_reused()
    {
        if (!OperatingSystem.IsLinux())
            return;
        string cache = Directory.CreateTempSubdirectory("fewstep-test-").FullName;
        try
        {
            string shim = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
            string first = TorchLibrary.RelaxedCopy(shim, cache);
            var written = File.GetLastWriteTimeUtc(first);
            Assert.Equal(first, TorchLibrary.RelaxedCopy(shim, cache));
            Assert.Equal(written, File.GetLastWriteTimeUtc(first));
            Assert.Equal(new FileInfo(shim).Length, new FileInfo(first).Length);
            Assert.Single(Directory.GetFiles(Path.GetDirectoryName(first)!));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Path.GetDirectoryName(first)!));
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [Fact]
    public void Without_a_cache_the_copy_is_loaded_from_a_folder_that_is_gone_afterwards()
    {
        if (!OperatingSystem.IsLinux())
            return;
        string shim = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        foreach (string? cache in new[] { null, "/proc/fewstep" })
        {
            string loaded = TorchLibrary.LoadRelaxed(shim, cache);
            Assert.StartsWith(Path.GetTempPath(), loaded, StringComparison.Ordinal);
            Assert.False(Path.Exists(Path.GetDirectoryName(Path.GetDirectoryName(loaded))));
        }
    }

    [Fact]
    public void Other_versions_and_other_files_are_left_alone()
    {
        byte[] bytes = OperatingSystem.IsLinux() ? File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so")) : [];
        if (bytes.Length > 0)
        {
            Assert.Equal(0, ElfVersionRequirements.Weaken([.. bytes], "GLIBCXX_9.9.9"));
            Assert.Throws<InvalidDataException>(() => ElfVersionRequirements.Weaken(bytes[..4096], Version));
        }

        Assert.Throws<InvalidDataException>(() => ElfVersionRequirements.Weaken(new byte[100], Version));
    }
}
