using FewStep.Load;

// Clients that ask samples/WebApi for one image after another: --sampler s.onnx [--clients 1,8,64] [--seconds 10] [--batch 16]
// [--queued 256] [--threads 0]
string Option(string name, string usual)
{
    int at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : usual;
}

string sampler = Option("--sampler", "");
int[] clients = [.. Option("--clients", "1,8,64").Split(',').Select(c => int.Parse(c, CultureInfo.InvariantCulture))];
double seconds = double.Parse(Option("--seconds", "10"), CultureInfo.InvariantCulture);
await using var server = await LoadServer.StartAsync(sampler, Option("--batch", "16"), Option("--queued", "256"), Option("--threads", "0"));
Console.WriteLine(LoadResult.Heading);
foreach (int count in clients)
    Console.WriteLine(await LoadRun.ExecuteAsync(server.Address, count, TimeSpan.FromSeconds(seconds)));
