using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace FewStep.Platform;

/// <summary>Loads libtorch and TorchSharp's native shim before the first tensor call.</summary>
/// <remarks>
/// TorchSharp's Linux shim requires <c>GLIBCXX_3.4.32</c> although no relocation uses it, so it does not load on Debian 12, Ubuntu 22.04 or
/// RHEL 9. Where the shim as shipped fails for that reason, a copy with that one requirement marked weak is loaded from a cache folder that
/// only the user can write (<c>$XDG_CACHE_HOME/fewstep</c> or <c>~/.cache/fewstep</c>), or where there is none from a private temporary
/// folder. Where the system's libstdc++ is new enough the shipped file is loaded untouched. The environment variable
/// <c>FEWSTEP_TORCH_LIB</c> names the folder of another libtorch (the <c>torch/lib</c> of a PyTorch), which is then loaded in place of the
/// program's own, after a look at whether it fits.
/// </remarks>
internal static class TorchLibrary
{
    private const string Shim = "libLibTorchSharp.so";
    private const string UnusedRequirement = "GLIBCXX_3.4.32";
    private static bool _works;

    // The number of threads that was asked for last, and that which this thread follows. Told apart as objects: the same number asked for
    // again is to be followed again.
    private static volatile StrongBox<int>? _asked;

    [ThreadStatic]
    private static StrongBox<int>? _followed;

    private static string Remedy => $"Reference the package {(OperatingSystem.IsWindows() ? "libtorch-cpu-win-x64"
        : OperatingSystem.IsMacOS() ? "libtorch-cpu-osx-arm64" : "libtorch-cpu-linux-x64")} (for NVIDIA GPUs "
        + $"TorchSharp-cuda-{(OperatingSystem.IsWindows() ? "windows" : "linux")}) from the application{(OperatingSystem
            .IsLinux() ? $", or set {TorchFolder.Variable} to the lib folder of PyTorch {TorchFolder.WantedVersion}" : "")}.";

    /// <summary>Why loading failed, in one line; null when it did not.</summary>
    public static string? Failure { get; private set; }

    /// <summary>The shim that was loaded: the shipped file, or the relaxed copy; null where the operating system's own search is relied
    /// on.</summary>
    public static string? LoadedShim { get; private set; }

    /// <summary>The folder that libtorch was loaded from; null where the operating system's own search is relied on.</summary>
    public static string? LoadedFolder { get; private set; }

    /// <summary>Whether a libtorch was loaded that computes on NVIDIA GPUs too, be there one or not.</summary>
    public static bool HasCuda { get; private set; }

    /// <summary>As many threads as libtorch chose; known once <see cref="Require"/> was called.</summary>
    public static int UsualThreads { get; private set; }

    /// <summary>Makes sure that libtorch is there: TorchSharp's own types would say that their initializer threw an exception.</summary>
    internal static void Require()
    {
        if (Failure is null && !_works)
        {
            try
            {
                RuntimeHelpers.RunClassConstructor(typeof(torch).TypeHandle);
                UsualThreads = get_num_threads();
                _works = true;
            }
            catch (TypeInitializationException e)
            {
                Failure = $"libtorch could not be loaded: {e.GetBaseException().Message.ReplaceLineEndings(" ")} {Remedy}";
            }
        }

        if (Failure is string failure)
            throw new InvalidInputException(failure);
    }

    /// <summary>Sets the processor threads of tensor operations in the whole process; 0 leaves their number as it is.</summary>
    internal static void UseThreads(int threads)
    {
        Require();
        if (threads is < 0 or > 1024)
            throw new InvalidInputException($"{threads} threads are not possible; the number must be 0 to 1024.");
        if (threads > 0)
            Follow(_asked = new StrongBox<int>(threads));
    }

    /// <summary>The processor threads of tensor operations of the calling thread: what <see cref="UseThreads"/> was given last, be it on
    /// another thread.</summary>
    /// <remarks>libtorch's own number is a thread's. What is computed would depend in its last bits on the pool thread that computes
    /// it.</remarks>
    internal static int ThreadsInUse()
    {
        if (_asked is { } asked && asked != _followed)
            Follow(asked);
        return get_num_threads();
    }

    /// <summary>Sets the processor threads of tensor operations on the calling thread, and on all threads to come.</summary>
    internal static void SetOwnThreads(int threads)
    {
        // a thread's first call of libtorch gives it the number that any thread has set last, and must not come after its own
        _ = get_num_threads();
        set_num_threads(threads);
    }

    private static void Follow(StrongBox<int> asked)
    {
        SetOwnThreads(asked.Value);
        _followed = asked;
    }

    // TorchSharp loads its shim in its own static constructor and offers no hook, so this must run before any of its types is touched.
#pragma warning disable CA2255 // a library's module initialiser is the only place early enough
    [ModuleInitializer]
    internal static void Initialize()
    {
        NativeHeap.KeepFreedMemory(); // before the first tensor
        string? given = Environment.GetEnvironmentVariable(TorchFolder.Variable) is { Length: > 0 } folder ? folder : null;
        if (!OperatingSystem.IsLinux())
        {
            Failure = given is null ? null : $"{TorchFolder.Variable} is set, but only Linux loads libtorch from another folder; unset it, "
                + "and build the program with the libtorch that it shall use.";
            HasCuda = OperatingSystem.IsWindows() && SearchFolders().Any(f => File.Exists(Path.Combine(f, "torch_cuda.dll")));
            return;
        }

        try
        {
            Load(given);
        }
        catch (InvalidInputException e)
        {
            Failure = e.Message;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException or InvalidDataException
            or UnauthorizedAccessException)
        {
            Failure = $"libtorch could not be loaded: {e.Message.ReplaceLineEndings(" ")}";
        }
    }
#pragma warning restore CA2255

    private static void Load(string? given)
    {
        string? own = SearchFolders().FirstOrDefault(f => File.Exists(Path.Combine(f, TorchFolder.Marker)));
        string? shipped = SearchFolders().Select(f => Path.Combine(f, Shim)).FirstOrDefault(File.Exists);
        if (shipped is null || (own ?? given) is null)
        {
            Failure = shipped is null
                ? $"{Shim} was not found beside the program. Reference the package TorchSharp from the application."
                : $"{TorchFolder.Marker} was not found beside the program. {Remedy}";
            return;
        }

        string folder = given is null ? own! : Chosen(given, own, shipped);
        foreach (string library in new TorchFolder(folder).Libraries)
            NativeLibrary.Load(library);
        (LoadedFolder, HasCuda) = (folder, new TorchFolder(folder).HasCuda);
        if (NativeLibrary.TryLoad(shipped, out _))
        {
            LoadedShim = shipped;
            return;
        }

        LoadedShim = LoadRelaxed(shipped, CacheFolder());
    }

    // TorchSharp itself loads a libtorch that lies beside the program, whatever was loaded before: two of them in one process would share
    // half of their state.
    private static string Chosen(string given, string? own, string shim)
    {
        var chosen = new TorchFolder(given);
        chosen.Check(shim);
        return own is null || chosen.IsSame(own)
            ? own ?? given
            : throw new InvalidInputException($"{TorchFolder.Variable} names {given}, but this program carries a libtorch of its own in "
                + $"{own}; build it with -p:TorchDevice=external, which leaves that out, or unset the variable.");
    }

    /// <summary>Loads the relaxed copy from the cache, or where that cannot be written or loaded from, from a folder of its own under the
    /// system's temporary one.</summary>
    internal static string LoadRelaxed(string shipped, string? cache)
    {
        try
        {
            if (cache is not null)
            {
                string kept = RelaxedCopy(shipped, cache);
                NativeLibrary.Load(kept);
                return kept;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            // An unwritable home, or a disk that nothing may be run from: try the next place.
        }

        try
        {
            // A fresh name and access for the user alone (0700): nobody else can put a library there.
            var own = Directory.CreateTempSubdirectory("fewstep-");
            try
            {
                string copy = RelaxedCopy(shipped, own.FullName);
                NativeLibrary.Load(copy);
                return copy;
            }
            finally
            {
                own.Delete(recursive: true); // what is loaded stays loaded
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            throw new IOException($"neither {cache ?? "a cache folder"} nor {Path.GetTempPath()} takes a library that can be loaded; set "
                + $"XDG_CACHE_HOME to a folder that does. {e.Message}", e);
        }
    }

    // Assembly.Location is empty in single-file programs; the host's own search list covers those too.
    private static IEnumerable<string> SearchFolders()
    {
        yield return AppContext.BaseDirectory;
        string listed = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (string folder in listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
    }

    private static string? CacheFolder()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache)
            return Path.Combine(cache, "fewstep", "native");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return Path.IsPathRooted(home) ? Path.Combine(home, ".cache", "fewstep", "native") : null; // without a home there is none
    }

    /// <summary>Writes the copy of <paramref name="shipped"/> with the unused requirement weakened into <paramref name="cache"/>, unless it
    /// is there.</summary>
    internal static string RelaxedCopy(string shipped, string cache)
    {
        byte[] bytes = File.ReadAllBytes(shipped);
        string hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        if (ElfVersionRequirements.Weaken(bytes, UnusedRequirement) == 0)
            throw new InvalidDataException($"{shipped} does not load, and not for want of {UnusedRequirement}.");
        var folder = Directory.CreateDirectory(Path.Combine(cache, hash));
        if (!OperatingSystem.IsWindows())
            folder.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        string target = Path.Combine(folder.FullName, Shim);
        if (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(bytes))
            return target;
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
