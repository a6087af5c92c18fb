using System.Diagnostics;
using FewStep.Studio;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep studio</c>: a page on this machine on which samplers are tried, compared, fitted and taken elsewhere.</summary>
internal static class StudioVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("studio", "Try, compare and fit samplers on a page in the browser. Only this machine reaches it, by the "
            + "address that is printed; Ctrl-C ends it.");
        var model = command.Model(", an ONNX file, or the JSON file of a Gaussian mixture");
        var data = command.Data();
        var output = command.Option(
            "--out", "Folder that fits, searches, tunings and saved samplers are written into.", Path.Combine("runs", "studio"), "folder");
        var runs = command.Option("--runs", "Folder whose runs are listed, opened and compared.", "runs", "folder");
        var port = command.Option("--port", "Port on 127.0.0.1; 0 for a free one.", 0);
        var open = command.Optional<bool>("--open", "Open the page in the browser.");
        var (dtype, threads, json) = (command.Dtype(), command.Threads(), command.Json());
        var about = new ModelFlags(command, guides: false);
        return command.Runs((parsed, cancellation) =>
        {
            if (parsed.GetValue(port) is not (0 or (>= 1024 and <= 65535)) and var given)
                throw new InvalidInputException($"--port {given} must be 0 or a number from 1024 to 65535.");
            if (!Path.Exists(parsed.GetRequiredValue(data)) && !OwnSampleSet.Is(parsed.GetRequiredValue(data), out _))
                throw new InvalidInputException($"--data {parsed.GetRequiredValue(data)} does not exist; name the images that jobs take.");
            if (File.Exists(parsed.GetRequiredValue(runs)))
                throw new InvalidInputException($"--runs {parsed.GetRequiredValue(runs)} is a file; name the folder of the runs.");
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var server = StudioServer.Start(new StudioOptions
            {
                Model = parsed.GetRequiredValue(model),
                Data = parsed.GetRequiredValue(data),
                IsDataChosen = parsed.IsGiven(data),
                Out = parsed.GetRequiredValue(output),
                Runs = parsed.GetRequiredValue(runs),
                Port = parsed.GetValue(port),
                Opening = about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)),
            }, cancellation).GetAwaiter().GetResult();
            try
            {
                terminal.Result(parsed.GetValue(json), new { address = server.Address }, $"The studio is at {server.Address}");
                if (parsed.GetValue(open))
                    Open(server.Address, terminal);
                cancellation.WaitHandle.WaitOne();
            }
            finally
            {
                server.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        });
    }

    private static void Open(string address, TerminalOutput terminal)
    {
        try
        {
            using var browser = Process.Start(new ProcessStartInfo(address) { UseShellExecute = true });
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or PlatformNotSupportedException)
        {
            terminal.Message($"No browser could be opened ({e.Message}): open the address yourself.");
        }
    }
}
