using FewStep.Studio.Web;

namespace FewStep.Tests.Studio;

/// <summary>ONNX Runtime Web's files: those that FEWSTEP_ORT_WEB names, without which tests that evaluate are skipped and say so; and
/// files that look like them, for tests that do not.</summary>
internal static class WebRuntimeFiles
{
    private const string Variable = "FEWSTEP_ORT_WEB";

    /// <summary>The true ones, or skips the test.</summary>
    public static string Folder()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return named;
        Assert.Skip($"There is no ONNX Runtime Web: 'npm pack onnxruntime-web@{WebRuntime.Version}', unpack that, and name its folder "
            + $"package/dist by the environment variable {Variable}. No exported page was sampled in a browser.");
        return "";
    }

    /// <summary>Writes files that look like them.</summary>
    public static string WriteLike(string folder, string version = WebRuntime.Version)
    {
        Directory.CreateDirectory(folder);
        foreach (string name in WebRuntime.Wasm.Concat(WebRuntime.WebGpu))
            File.WriteAllText(Path.Combine(folder, name), name.EndsWith(".wasm", StringComparison.Ordinal) ? "\0asm" : Module(version));
        File.WriteAllText(Path.Combine(folder, "ort.all.min.js"), "not needed");
        return folder;
    }

    private static string Module(string version) =>
        $"/*!\n * ONNX Runtime Web v{version}\n * of a test */\nexport const env = {{ wasm: {{}} }};";
}
