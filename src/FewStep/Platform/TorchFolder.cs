using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace FewStep.Platform;

/// <summary>The libraries of a libtorch in one folder: that of a package, or the <c>torch/lib</c> of a PyTorch installation. Linux
/// only.</summary>
internal sealed partial class TorchFolder(string folder)
{
    /// <summary>The environment variable that names a folder to load libtorch from.</summary>
    public const string Variable = "FEWSTEP_TORCH_LIB";

    /// <summary>The PyTorch whose libraries TorchSharp's shim was linked with.</summary>
    public const string WantedVersion = "2.10.0";

    /// <summary>The library that tells whether there is a libtorch in a folder.</summary>
    public const string Marker = "libtorch_cpu.so";

    private const string CudaMarker = "libtorch_cuda.so";
    private const int SameHead = 1 << 16;

    // Each needs those before it. CUDA's own libraries are found by the run paths in these.
    private static readonly string[] WithoutCuda = ["libc10.so", Marker, "libtorch.so"];
    private static readonly string[] WithCuda = ["libc10.so", Marker, "libc10_cuda.so", CudaMarker, "libtorch.so"];

    // What a shim of C++ finds in the system, whatever libtorch it is loaded with.
    private static readonly string[] SystemLibraries = ["libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2",
        "libpthread.so.0", "libdl.so.2", "librt.so.1"];

    /// <summary>Whether it computes on NVIDIA GPUs too.</summary>
    public bool HasCuda => File.Exists(Path.Combine(folder, CudaMarker));

    /// <summary>The libraries' paths in the order in which they must be loaded.</summary>
    public IEnumerable<string> Libraries => (HasCuda ? WithCuda : WithoutCuda).Select(name => Path.Combine(folder, name));

    /// <summary>Checks that the folder holds a libtorch which offers all that a shim needs, before anything of it is loaded.</summary>
    public void Check(string shim)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidInputException($"{Variable} names {folder}, which is no folder; give the lib folder of PyTorch "
                + $"{WantedVersion}, .../site-packages/torch/lib.");
        }

        if (Libraries.FirstOrDefault(path => !File.Exists(path)) is { } absent)
        {
            throw new InvalidInputException($"{Variable} names {folder}, which lacks {Path.GetFileName(absent)}; give the lib folder of "
                + $"PyTorch {WantedVersion}, .../site-packages/torch/lib.");
        }

        var missing = Missing(shim);
        if (missing.Count > 0)
        {
            string first = Printable.Text(missing.Order(StringComparer.Ordinal).First());
            throw new InvalidInputException($"{Variable}: the libraries in {folder} lack {missing.Count} of the symbols that TorchSharp "
                + $"needs, e.g. {first}; it was made for PyTorch {WantedVersion}, {Found()}.");
        }
    }

    /// <summary>Whether another folder's libtorch is this one: the same file, or the same bytes as far as a look at their beginning
    /// tells.</summary>
    public bool IsSame(string other)
    {
        string here = Resolved(Path.Combine(folder, Marker)), there = Resolved(Path.Combine(other, Marker));
        return here == there || (new FileInfo(here).Length == new FileInfo(there).Length && Head(here).AsSpan().SequenceEqual(Head(there)));
    }

    private HashSet<string> Missing(string shim)
    {
        string reading = shim;
        try
        {
            var wanted = ElfSymbols.Required(shim);
            foreach (string library in Libraries)
            {
                reading = library;
                ElfSymbols.RemoveOffered(library, wanted);
            }

            foreach (string system in SystemLibraries)
            {
                if (wanted.Count > 0 && NativeLibrary.TryLoad(system, out nint handle))
                    wanted.RemoveWhere(name => NativeLibrary.TryGetExport(handle, name, out _));
            }

            return wanted;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{Variable}: {reading} cannot be used: {e.Message.ReplaceLineEndings(" ")} Give the lib "
                + $"folder of PyTorch {WantedVersion}.", e);
        }
    }

    // PyTorch writes its version beside the folder.
    private string Found()
    {
        try
        {
            using var stream = File.OpenRead(Path.Combine(folder, "..", "version.py"));
            byte[] bytes = new byte[4096];
            int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return VersionLine().Match(Encoding.UTF8.GetString(bytes, 0, count)) is { Success: true } match
                ? $"and this is {Printable.Line(match.Groups[1].Value, 40)}"
                : "and this is another";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "and this is another";
        }
    }

    private static string Resolved(string path)
        => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);

    private static byte[] Head(string path)
    {
        using var stream = File.OpenRead(path);
        byte[] bytes = new byte[SameHead];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    [GeneratedRegex(@"^__version__\s*=\s*['""]([^'""]+)['""]", RegexOptions.Multiline)]
    private static partial Regex VersionLine();
}
