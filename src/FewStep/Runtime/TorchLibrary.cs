using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FewStep.Runtime;

/// <summary>Loads libtorch and TorchSharp's native shim before the first tensor call.</summary>
/// <remarks>
/// TorchSharp's Linux shim requires <c>GLIBCXX_3.4.32</c> although no relocation uses it, so it does not load on Debian 12, Ubuntu 22.04 or
/// RHEL 9. Where the shim as shipped fails for that reason, a copy with that one requirement marked weak is loaded from a cache folder that only the user can write.
/// Where the system's libstdc++ is new enough the shipped file is loaded untouched.
/// </remarks>
public static class TorchLibrary
{
    private const string Shim = "libLibTorchSharp.so";
    private const string UnusedRequirement = "GLIBCXX_3.4.32";
    private static readonly string[] LibtorchLoadOrder = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    /// <summary>Why loading failed, in one line; null when it did not.</summary>
    public static string? Failure { get; private set; }

    /// <summary>The shim that was loaded: the shipped file, or the relaxed copy; null where the operating system's own search is relied on.</summary>
    public static string? LoadedShim { get; private set; }

    // TorchSharp loads its shim in its own static constructor and offers no hook, so this must run before any of its types is touched.
#pragma warning disable CA2255 // a library's module initialiser is the only place early enough
    [ModuleInitializer]
    internal static void Initialize()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            Load();
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Failure = $"libtorch could not be loaded: {e.Message.ReplaceLineEndings(" ")}";
        }
    }
#pragma warning restore CA2255

    private static void Load()
    {
        string? folder = SearchFolders().FirstOrDefault(f => File.Exists(Path.Combine(f, "libtorch_cpu.so")) && File.Exists(Path.Combine(f, Shim)));
        if (folder is null)
        {
            Failure = $"libtorch_cpu.so and {Shim} were not found beside the program; reference a libtorch package from the application.";
            return;
        }

        foreach (string library in LibtorchLoadOrder)
        {
            NativeLibrary.Load(Path.Combine(folder, library));
        }

        string shipped = Path.Combine(folder, Shim);
        if (NativeLibrary.TryLoad(shipped, out _))
        {
            LoadedShim = shipped;
            return;
        }

        string relaxed = RelaxedCopy(shipped, CacheFolder());
        NativeLibrary.Load(relaxed);
        LoadedShim = relaxed;
    }

    // Assembly.Location is empty in single-file programs; the host's own search list covers those too.
    private static IEnumerable<string> SearchFolders()
    {
        yield return AppContext.BaseDirectory;
        string listed = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (string folder in listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return folder;
        }
    }

    private static string CacheFolder()
    {
        string root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".cache");
        return Path.Combine(root, "fewstep", "native");
    }

    /// <summary>Writes the copy of <paramref name="shipped"/> with the unused requirement weakened into <paramref name="cache"/>, unless it is there.</summary>
    /// <returns>The copy's path; its folder is named by the shipped file's hash.</returns>
    /// <exception cref="InvalidDataException">The file does not carry that requirement, so weakening it cannot be the remedy.</exception>
    internal static string RelaxedCopy(string shipped, string cache)
    {
        byte[] bytes = File.ReadAllBytes(shipped);
        string hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        if (ElfVersionRequirements.Weaken(bytes, UnusedRequirement) == 0)
        {
            throw new InvalidDataException($"{shipped} does not load, and not for want of {UnusedRequirement}.");
        }

        var folder = Directory.CreateDirectory(Path.Combine(cache, hash));
        if (!OperatingSystem.IsWindows())
        {
            folder.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        }

        string target = Path.Combine(folder.FullName, Shim);
        if (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(bytes))
        {
            return target;
        }

        string temporary = Path.Combine(folder.FullName, $"{Shim}.{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, target, overwrite: true);
            return target;
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
