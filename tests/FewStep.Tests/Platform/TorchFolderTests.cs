using System.Diagnostics;

namespace FewStep.Tests.Platform;

/// <summary>Another libtorch in a folder; links to the package's own stand for it.</summary>
public sealed class TorchFolderTests : FolderTests
{
    private static readonly string[] Names = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    private static string Shim => Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [Fact]
    public void The_libraries_of_the_package_fit_and_are_loaded_in_order()
    {
        if (Linked())
        {
            var folder = new TorchFolder(_folder.Root);
            folder.Check(Shim);
            Assert.Equal(Names, folder.Libraries.Select(Path.GetFileName));
            Assert.False(folder.HasCuda);
            Assert.True(folder.IsSame(AppContext.BaseDirectory));
            File.WriteAllText(At("libtorch_cuda.so"), "");
            Assert.True(folder.HasCuda);
            Assert.Equal(["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"],
                folder.Libraries.Select(Path.GetFileName));
            Refused("lacks libc10_cuda.so");
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_one_line()
    {
        if (!Linked())
            return;
        Replace("libtorch_cpu.so", Path.Combine(AppContext.BaseDirectory, "libc10.so"));
        string line = Refused("of the symbols that TorchSharp needs, e.g. ");
        Assert.Contains(TorchFolder.WantedVersion, line, StringComparison.Ordinal);
        Assert.Contains(_folder.Root, line, StringComparison.Ordinal);
        Assert.False(new TorchFolder(_folder.Root).IsSame(AppContext.BaseDirectory));
        File.Delete(At("libtorch_cpu.so"));
        File.WriteAllBytes(At("libtorch_cpu.so"), File.ReadAllBytes(Shim)[..5000]);
        Refused("libtorch_cpu.so cannot be used");
        File.WriteAllText(At("libtorch_cpu.so"), "no library");
        Refused("Not a 64-bit little-endian ELF file");
        File.Delete(At("libtorch_cpu.so"));
        Refused("lacks libtorch_cpu.so");
        Directory.Delete(_folder.Root, recursive: true);
        Refused("which is no folder");
        Directory.CreateDirectory(_folder.Root);
    }

    [Fact]
    public void Symbols_are_those_that_the_shim_needs()
    {
        if (Linked())
        {
            var wanted = ElfSymbols.Required(Shim);
            Assert.InRange(wanted.Count, 500, 20_000);
            Assert.DoesNotContain("_ZSt21ios_base_library_initv", wanted); // no relocation uses it, and older systems lack it
            Assert.DoesNotContain(wanted, name => name.StartsWith("THS", StringComparison.Ordinal)); // those it offers
            var offered = new HashSet<string> { "THSTensor_dispose", "THSNoSuchThing" };
            ElfSymbols.RemoveOffered(Shim, offered);
            Assert.Equal(["THSNoSuchThing"], offered);
        }
    }

    [Fact]
    public void A_damaged_library_gives_nothing_but_its_own_exception()
    {
        if (!Linked())
            return;
        byte[] shipped = File.ReadAllBytes(Shim);
        int table = checked((int)BitConverter.ToInt64(shipped, 40)), sections = BitConverter.ToUInt16(shipped, 60);
        var random = new Random(3);
        string path = At("damaged.so");
        for (int i = 0; i < 60; i++)
        {
            byte[] damaged = [.. shipped];
            for (int k = 0; k < 4; k++)
            {
                int at = k == 0 && i % 2 == 0 ? random.Next(64) : table + random.Next(sections * 64);
                damaged[at] = (byte)random.Next(256);
            }

            File.WriteAllBytes(path, damaged);
            try
            {
                ElfSymbols.Required(path);
            }
            catch (InvalidDataException)
            {
                // the only one allowed
            }
        }
    }

    [Fact]
    public async Task A_fresh_process_loads_the_folder_that_is_named()
    {
        if (Linked())
        {
            var good = await Sample(_folder.Root);
            Assert.True(good.Code == 0, good.Messages);
            var absent = await Sample(At("absent"));
            Assert.Equal(2, absent.Code);
            Assert.Single(absent.Messages.Trim().Split('\n'));
            Assert.Contains("which is no folder", absent.Messages, StringComparison.Ordinal);
            Replace("libtorch_cpu.so", Path.Combine(AppContext.BaseDirectory, "libc10.so"));
            var lacking = await Sample(_folder.Root);
            Assert.Equal(2, lacking.Code);
            Assert.Single(lacking.Messages.Trim().Split('\n'));
            Assert.Contains("of the symbols that TorchSharp needs", lacking.Messages, StringComparison.Ordinal);
        }
    }

    private async Task<(int Code, string Messages)> Sample(string folder)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "FewStep.Cli.dll"), "sample", "--seeds", "0",
            "--steps", "1", "--threads", "1", "--output", At("sample.npz")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment[TorchFolder.Variable] = folder;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string messages = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, messages);
    }

    private string At(string name) => _folder.File(name);

    private void Replace(string name, string target)
    {
        File.Delete(At(name));
        File.CreateSymbolicLink(At(name), target);
    }

    // Only on Linux, with the libtorch of the package.
    private bool Linked()
    {
        if (!OperatingSystem.IsLinux() || !Names.All(name => File.Exists(Path.Combine(AppContext.BaseDirectory, name))))
            return false;
        foreach (string name in Names)
            Replace(name, Path.Combine(AppContext.BaseDirectory, name));
        return true;
    }

    private string Refused(string fragment)
    {
        string line = Assert.Throws<InvalidInputException>(() => new TorchFolder(_folder.Root).Check(Shim)).Message;
        Assert.Contains(fragment, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        return line;
    }
}
