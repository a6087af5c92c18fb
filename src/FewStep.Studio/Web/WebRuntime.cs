namespace FewStep.Studio.Web;

/// <summary>ONNX Runtime Web's files that a page of a sampler needs, in the folder <c>dist</c> of its package, which this program does
/// not carry.</summary>
internal sealed class WebRuntime
{
    /// <summary>The version that the page is written and tested for; its patches are taken too.</summary>
    public const string Version = "1.30.0";

    private const long MostBytes = 128 << 20;
    private static readonly byte[] WasmStart = [0, (byte)'a', (byte)'s', (byte)'m'];

    private WebRuntime(string folder, string found) => (Folder, Found) = (folder, found);

    /// <summary>For the processor, by WebAssembly: a module, the module that loads, and what it loads.</summary>
    public static IReadOnlyList<string> Wasm { get; } =
        ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

    /// <summary>The same with WebGPU, which a browser loads in place of the others where it is chosen.</summary>
    public static IReadOnlyList<string> WebGpu { get; } =
        ["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"];

    /// <summary>Where the files lie.</summary>
    public string Folder { get; }

    /// <summary>Their version.</summary>
    public string Found { get; }

    /// <exception cref="InvalidInputException">A file is missing, damaged or of another version.</exception>
    public static WebRuntime Open(string? folder)
    {
        string get = $"get it by 'npm pack onnxruntime-web@{Version}', unpack that, and name its folder: --runtime package/dist";
        if (folder is null)
            throw new InvalidInputException($"A page needs ONNX Runtime Web, which this program does not carry: {get}.");
        string[] missing = [.. Wasm.Concat(WebGpu).Where(name => !File.Exists(Path.Combine(folder, name)))];
        if (missing.Length > 0)
            throw new InvalidInputException($"--runtime {folder} has no {missing[0]} of ONNX Runtime Web; {get}.");
        string[] found = [.. new[] { Wasm[0], WebGpu[0] }.Select(name => VersionOf(Path.Combine(folder, name))).Distinct()];
        string series = Version[..Version.LastIndexOf('.')];
        if (found is not [string version] || !version.StartsWith($"{series}.", StringComparison.Ordinal))
        {
            throw new InvalidInputException(
                $"--runtime {folder} holds version {Printable.Text(string.Join(" and ", found))} of ONNX Runtime Web, and the page is for "
                    + $"{series}; {get}.");
        }

        byte[] start = new byte[WasmStart.Length];
        foreach (string name in new[] { Wasm[2], WebGpu[2] })
        {
            using var file = InputFile.Open(Path.Combine(folder, name));
            if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.SequenceEqual(WasmStart))
                throw new InvalidInputException($"{Path.Combine(folder, name)} is no WebAssembly; {get}.");
        }

        return new WebRuntime(folder, version);
    }

    /// <summary>Copies the files.</summary>
    public void CopyTo(string folder, CancellationToken cancellation)
    {
        foreach (string name in Wasm.Concat(WebGpu))
        {
            cancellation.ThrowIfCancellationRequested();
            using var file = InputFile.Open(Path.Combine(Folder, name));
            AtomicFile.Write(Path.Combine(folder, name), file.CopyTo);
        }
    }

    /// <summary>What a browser loads of them.</summary>
    public long Bytes(IEnumerable<string> names) => names.Sum(name => new FileInfo(Path.Combine(Folder, name)).Length);

    // Every module begins with a remark that says it.
    private static string VersionOf(string path)
    {
        const string Words = "ONNX Runtime Web v";
        string text = InputFile.ReadText(path, MostBytes);
        int start = text.IndexOf(Words, StringComparison.Ordinal);
        return start < 0 ? "unknown" : text[(start + Words.Length)..].Split([' ', '\r', '\n'], 2)[0];
    }
}
