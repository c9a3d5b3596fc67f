// Reads {"<name>": "<query>"} from stdin and answers {"<name>": [{"message", "text"}]}: what Microsoft's own language
// service finds wrong in each query, against the tables in tables.json.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
require('@kusto/language-service-next/bridge.min.js')
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js')

const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language
const tables = JSON.parse(readFileSync(new URL('tables.json', import.meta.url)))
const symbols = Object.entries(tables).map(([name, columns]) => {
  const made = Object.entries(columns).map(
    ([column, type]) => new Symbols.ColumnSymbol(column, Symbols.ScalarTypes.GetSymbol(type)),
  )
  return new Symbols.TableSymbol.$ctor4(name, made)
})
const database = new Symbols.DatabaseSymbol.ctor('logs', symbols)
const globals = GlobalState.Default.WithDatabase(database)

const queries = JSON.parse(readFileSync(0, 'utf8'))
const answer = {}
for (const [name, query] of Object.entries(queries)) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics()
  answer[name] = []
  for (let i = 0; i < found.Count; i++) {
    const each = found.getItem(i)
    answer[name].push({ message: each.Message, text: query.slice(each.Start, each.Start + each.Length) })
  }
}
process.stdout.write(JSON.stringify(answer))
